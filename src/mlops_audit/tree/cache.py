"""What is kept between runs, in the user's own cache folder.

Facts are kept by path and git blob id, the last results by the state of the whole tree. One SQLite
file. A key holds the fingerprint of the code that made the value, so that another version of the
tool never sees what this one kept. Anything that goes wrong with the cache costs time, never a
result: every method then behaves as if the cache were empty.
"""

from __future__ import annotations

import io
import os
import pickle
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import FunctionType, MappingProxyType
from typing import Any

__all__ = ["FactCache", "fingerprint"]

_MAX_ROWS = 60_000
_MAX_RESULTS = 100
_BATCH = 400


def fingerprint(folder: str) -> str:
    """A short text that changes when a file of the tool's own code below `folder` does."""
    seen = sorted(f"{path}:{size}:{time}" for path, size, time in _files(folder, ""))
    return f"{zlib.crc32(';'.join(seen).encode()):08x}"


def _files(folder: str, inside: str) -> Iterator[tuple[str, int, int]]:
    for entry in os.scandir(folder):
        if not entry.is_dir():
            stat = entry.stat()
            yield f"{inside}{entry.name}", stat.st_size, stat.st_mtime_ns
        elif entry.name not in ("__pycache__", "bundled"):  # the template judges nothing
            yield from _files(entry.path, f"{inside}{entry.name}/")


def _folder(environment: Mapping[str, str]) -> str | None:
    """Where the cache lies; None when it is switched off (`MLOPS_AUDIT_CACHE=off`)."""
    chosen = environment.get("MLOPS_AUDIT_CACHE", "")
    if chosen.lower() in {"off", "0", "no", "false"}:
        return None
    if chosen:
        return chosen
    base = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return None if base.startswith("~") else os.path.join(base, "mlops-audit")  # nobody's home


class FactCache:
    """Pickled facts by key. The file belongs to the user alone (mode 0700 on its folder)."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._db: sqlite3.Connection | None = None
        folder = _folder(environment)
        if folder is None:
            return
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            # What is unpickled must not have been written by somebody else.
            if os.stat(folder).st_uid != os.geteuid():
                return
            self._db = sqlite3.connect(os.path.join(folder, "facts.sqlite"), timeout=1)
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=off")
            for table in ("facts", "results"):
                self._db.execute(
                    f"create table if not exists {table} (key text primary key, data blob)"
                )
        except (OSError, sqlite3.Error):
            self._db = None

    def get(self, keys: Iterable[str]) -> dict[str, object]:
        """The facts that are known under these keys."""
        if self._db is None:
            return {}
        wanted = list(keys)
        found: dict[str, object] = {}
        try:
            for start in range(0, len(wanted), _BATCH):
                part = wanted[start : start + _BATCH]
                marks = ",".join("?" * len(part))
                query = f"select key, data from facts where key in ({marks})"  # noqa: S608 -- marks only
                for key, data in self._db.execute(query, part):
                    found[key] = pickle.loads(data)  # noqa: S301 -- the user's own folder, checked above
        except Exception:  # noqa: BLE001 -- a damaged cache is an empty one
            return {}
        return found

    def put(self, facts: Mapping[str, bytes]) -> None:
        """Keep pickled facts; the whole cache is dropped when it has grown too large."""
        if self._db is None or not facts:
            return
        try:
            with self._db:
                (count,) = self._db.execute("select count(*) from facts").fetchone()
                if count > _MAX_ROWS:
                    self._db.execute("delete from facts")
                self._db.executemany("insert or replace into facts values (?, ?)", facts.items())
        except sqlite3.Error:
            return

    def result(self, key: str) -> object:
        """The result that is kept under this key, or None. Its functions are loaded when called."""
        if self._db is None:
            return None
        try:
            row = self._db.execute("select data from results where key = ?", (key,)).fetchone()
            return pickle.loads(row[0]) if row else None  # noqa: S301 -- as in `get`
        except Exception:  # noqa: BLE001 -- as in `get`
            return None

    def keep_result(self, key: str, value: object) -> None:
        """Keep a result in place of the oldest one."""
        if self._db is None:
            return
        try:
            data = io.BytesIO()
            _Pickler(data, protocol=5).dump(value)
            with self._db:
                self._db.execute(
                    "insert or replace into results values (?, ?)", (key, data.getvalue())
                )
                self._db.execute(
                    "delete from results where rowid not in"
                    " (select rowid from results order by rowid desc limit ?)",
                    (_MAX_RESULTS,),
                )
        except (sqlite3.Error, pickle.PickleError, RecursionError, TypeError, AttributeError):
            return

    def close(self) -> None:
        """Give the file back."""
        if self._db is not None:
            self._db.close()
            self._db = None


class Unloaded:
    """A function of this package by its name; its module is imported when it is called."""

    def __init__(self, module: str, name: str) -> None:
        self.__module__ = module
        self.__name__ = name

    def __call__(self, *args: object) -> object:
        found = getattr(import_module(self.__module__), self.__name__)
        return getattr(found, "judge", found)(*args)


def _view(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    """A read-only view, whose own type has no name that could be loaded."""
    return MappingProxyType(values)


class _Pickler(pickle.Pickler):
    """Writes functions as names: to import all that judged costs as much as a small audit."""

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401 -- any object may come
        if isinstance(obj, FunctionType | Unloaded) and obj is not _view:
            return Unloaded, (obj.__module__, obj.__name__)
        if isinstance(obj, MappingProxyType):
            return _view, (dict(obj),)
        return NotImplemented
