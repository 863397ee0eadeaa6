"""An unchanged repository is not judged again: the last reports are kept by all that makes them.

The key holds the state of the tree, the configuration, what was asked, and the tool's own code.
Where one of these cannot be told (a model of a team's own, gigabytes that git does not know), the
audit runs as if nothing were kept.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mlops_audit.config import ConfigError
from mlops_audit.maturity import MaturityModel, load_model
from mlops_audit.model import Report
from mlops_audit.tree.cache import FactCache, fingerprint

if TYPE_CHECKING:
    from mlops_audit.config import Config
    from mlops_audit.tree import Tree

__all__ = ["keep", "key_of", "recall"]


def key_of(
    tree: Tree, config: Config, models: Sequence[MaturityModel], asked: Iterable[object]
) -> str | None:
    """What a report is kept by; None where it cannot be kept.

    Args:
        tree: the audited files.
        config: the settings, with what has expired by now.
        models: the maturity models.
        asked: what else the report depends on, as values with a stable `repr`.
    """
    try:
        if any(load_model(m.name) != m for m in models):
            return None
    except ConfigError:  # a team's own
        return None
    state = tree.state()
    if state is None:
        return None
    code = fingerprint(os.path.dirname(__file__))
    parts = (code, sys.version_info[:3], state, config, [m.name for m in models], tuple(asked))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def recall(key: str) -> Report | None:
    """The report that is kept under a key."""
    cache = FactCache()
    found = cache.result(key)
    cache.close()
    return found if isinstance(found, Report) else None


def keep(key: str, report: Report) -> None:
    """Keep a report."""
    cache = FactCache()
    cache.keep_result(key, report)
    cache.close()
