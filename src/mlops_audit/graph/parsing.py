"""Reads a project's code: from the cache where a file is known, else by the readers.

Parsing Python costs a hundred times more than anything else of a small audit, so its facts are
kept by path and git blob id, and what is not known yet is read beside the rest of the work.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import mlops_audit.facts
from mlops_audit.facts.code import Module
from mlops_audit.facts.notebooks import Notebook, read_notebook
from mlops_audit.facts.python import read_python
from mlops_audit.facts.snakefiles import is_snakefile, read_snakemodule
from mlops_audit.tree import Tree
from mlops_audit.tree.cache import FactCache, fingerprint
from mlops_audit.tree.workers import Begun, processes

__all__ = ["Code", "read_code"]

# Weights, in bytes of Python: below the first a second process costs more than it saves, from the
# second on several of them share the files.
_BESIDE_FROM = 20_000
_SPREAD_FROM = 1_500_000
_OUTPUTS = 20  # of the bytes of a notebook one in so many is code
_PARTS = 100  # of the files, to be taken one after the other

Code = Module | Notebook


def read_code(
    tree: Tree,
    paths: Iterable[str],
    data: Callable[[str], bytes | None],
    *,
    cached: bool = True,
    jobs: int | None = None,
) -> Callable[[], dict[str, Code]]:
    """Begin to read the modules and notebooks at `paths`; files that cannot be read are left out.

    Returns:
        What waits for the facts, by path.
    """
    paths = sorted(paths)
    mark = fingerprint(mlops_audit.facts.__path__[0])
    # Counted in one order, whatever of them is known: a tree that is too large leaves out the last.
    counted = [p for p in paths if tree.counts(p)]
    keys = {p: f"{mark}:{p}:{blob}" for p in counted if (blob := tree.blob_id(p)) is not None}
    known = _recalled(keys.values()) if cached else {}
    found: dict[str, Code] = {}
    fresh: dict[str, bytes] = {}
    for path in paths:
        fact = known.get(keys.get(path, ""))
        if isinstance(fact, Module | Notebook):
            found[path] = fact
        elif (content := data(path)) is not None:
            fresh[path] = content
    parts, count = _parts(fresh, jobs)
    reading = Begun(_read_part, parts, count)

    def code() -> dict[str, Code]:
        kept = {p: text for part in reading() for p, text in part.items()}
        for path, content in fresh.items():
            text = kept.get(path)
            found[path] = pickle.loads(text) if text else _read(path, content)  # noqa: S301 -- our own
        if cached and fresh:
            kept = kept or dict(_pickled((p, found[p]) for p in fresh))
            _keep({keys[p]: text for p, text in kept.items() if p in keys})
        return dict(sorted(found.items()))

    return code


def _parts(fresh: dict[str, bytes], jobs: int | None) -> tuple[list[dict[str, bytes]], int]:
    """What several processes shall read, and how many; nothing where this one had better do it."""
    weights = {p: len(c) // (_OUTPUTS if p.endswith(".ipynb") else 1) for p, c in fresh.items()}
    weight = sum(weights.values())
    count = processes(jobs)
    if weight < _BESIDE_FROM or count == 1:
        return [], 1
    heaviest = sorted(fresh, key=lambda p: (-weights[p], p))
    parts = [{p: fresh[p] for p in heaviest[k::_PARTS]} for k in range(min(_PARTS, len(fresh)))]
    return parts, count if weight > _SPREAD_FROM else 2


def _read_part(part: dict[str, bytes]) -> dict[str, bytes]:
    return dict(_pickled((p, _read(p, content)) for p, content in part.items()))


def _pickled(facts: Iterable[tuple[str, Code]]) -> Iterator[tuple[str, bytes]]:
    """What can be pickled; an expression can be nested more deeply than pickle goes."""
    for path, fact in facts:
        with suppress(RecursionError, pickle.PickleError):
            yield path, pickle.dumps(fact, protocol=5)


def _read(path: str, content: bytes) -> Code:
    if path.endswith(".ipynb"):
        return read_notebook(path, content)
    return (read_snakemodule if is_snakefile(path) else read_python)(path, content)


def _recalled(keys: Iterable[str]) -> dict[str, object]:
    cache = FactCache()
    found = cache.get(keys)
    cache.close()
    return found


def _keep(facts: dict[str, bytes]) -> None:
    cache = FactCache()
    cache.put(facts)
    cache.close()
