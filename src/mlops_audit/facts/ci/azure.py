"""Azure Pipelines, also those whose names do not tell, and templates of them.

The reader has rooms of its own, which are imported with the first such file.
"""

from __future__ import annotations

from mlops_audit.facts.signs import Signs

__all__ = ["READER", "SIGNS"]

READER = "mlops_audit.facts.azure"
SIGNS = Signs(
    r"(?:.*/)?\.?azure[-_]?pipelines?[^/]*\.ya?ml",
    (
        rb"^(?:trigger|pr|schedules|stages|jobs|steps|pool|extends)[ \t]*:",
        (
            rb"^[ \t]*-[ \t]+(?:task:[ \t]*['\"]?[\w.\-]+@\d|(?:script|bash|pwsh|powershell"
            rb"|stage|job|deployment|template)[ \t]*:)|^[ \t]+template:[ \t]*\S+\.ya?ml"
        ),
    ),
    loose=True,
)
