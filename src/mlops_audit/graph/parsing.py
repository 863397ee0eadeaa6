"""Reads a project's code: from the cache where a file is known, else by the readers.

Parsing Python costs a hundred times more than anything else of a small audit, so its facts are
kept by path and git blob id, and a large repository is spread over processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import mlops_audit.facts
from mlops_audit.facts.code import Module
from mlops_audit.facts.notebooks import Notebook, read_notebook
from mlops_audit.facts.python import read_python
from mlops_audit.facts.snakefiles import is_snakefile, read_snakemodule
from mlops_audit.tree import Tree
from mlops_audit.tree.cache import FactCache, fingerprint
from mlops_audit.tree.workers import spread

__all__ = ["read_code"]

# Below this many bytes a second process costs more than it saves.
_SPREAD_FROM = 3_000_000

Code = Module | Notebook


def read_code(
    tree: Tree,
    paths: Iterable[str],
    data: Callable[[str], bytes | None],
    *,
    cached: bool = True,
    jobs: int | None = None,
) -> dict[str, Code]:
    """The modules and notebooks at `paths`; files that cannot be read are left out."""
    mark = fingerprint(mlops_audit.facts.__path__[0])
    keys = {p: f"{mark}:{p}:{blob}" for p in paths if (blob := tree.blob_id(p)) is not None}
    cache = FactCache() if cached else None
    known = cache.get(keys.values()) if cache else {}
    found = {
        p: fact for p, k in keys.items() if isinstance(fact := known.get(k), Module | Notebook)
    }
    fresh = [(p, content) for p in paths if p not in found and (content := data(p)) is not None]
    many = sum(len(content) for _, content in fresh) > _SPREAD_FROM
    results = spread(_read, fresh, jobs) if many else [_read(item) for item in fresh]
    found.update({p: code for (p, _), code in zip(fresh, results, strict=True)})
    if cache:
        cache.put({keys[p]: code for (p, _), code in zip(fresh, results, strict=True) if p in keys})
        cache.close()
    return dict(sorted(found.items()))


def _read(item: tuple[str, bytes]) -> Code:
    path, content = item
    if path.endswith(".ipynb"):
        return read_notebook(path, content)
    return (read_snakemodule if is_snakefile(path) else read_python)(path, content)
