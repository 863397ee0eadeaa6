"""GitHub Actions, and Gitea's and Forgejo's, which follow them: workflows, composite actions.

The reader has rooms of its own, which are imported with the first such file.
"""

from __future__ import annotations

from mlops_audit.facts.signs import Signs

__all__ = ["READER", "SIGNS", "WORKFLOW"]

READER = "mlops_audit.facts.github"
WORKFLOW = r"(?:.*/)?\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml"  # in any folder
SIGNS = Signs(rf"{WORKFLOW}|(?:.*/)?action\.ya?ml")
