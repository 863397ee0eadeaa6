"""Reads ML repositories and says, with file and line, which MLOps practices they really have.

    from mlops_audit import check
    check(".").assessment.level.name

The public names are these few, loaded when they are first used, so that the command starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_audit.audit import check
    from mlops_audit.model import Report
    from mlops_audit.tree import open_tree

__all__ = ["Report", "__version__", "check", "open_tree"]

__version__ = "0.1.0"

_HOMES = {"Report": "model", "check": "audit", "open_tree": "tree"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 -- loaded on first use is the point

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
