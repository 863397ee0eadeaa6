"""Jenkins: declarative and scripted pipelines.

The reader has rooms of its own, which are imported with the first such file.
"""

from __future__ import annotations

from mlops_audit.facts.signs import Signs

__all__ = ["READER", "SIGNS"]

READER = "mlops_audit.facts.jenkins"
SIGNS = Signs(
    r"(?:.*/)?(?:jenkins(?:file[^/]*)?|[^/]+\.jenkinsfile|[^/]*jenkins[^/]*\.groovy)",
    loose=True,
)
