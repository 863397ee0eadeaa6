"""GitLab CI; what a pipeline includes is read through it.

The reader has rooms of its own, which are imported with the first such file.
"""

from __future__ import annotations

from mlops_audit.facts.signs import Signs

__all__ = ["READER", "SIGNS"]

READER = "mlops_audit.facts.gitlab"
SIGNS = Signs(r"(?:.*/)?\.gitlab-ci\.ya?ml")
