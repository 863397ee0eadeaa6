"""COL03: contributors read how to set up, test and submit a change."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.model import Verdict, failed, hollow, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.collaboration._guides import FILES, guides
from mlops_audit.regex import regex

_PLAINLY = regex("contribut|pull request|hacking|developers|test|set-?up", re.IGNORECASE)
_LOOKED_FOR = "CONTRIBUTING, AGENTS.md or a README section on set-up, tests or pull requests"


@practice(
    id="COL03",
    title="Contributors know how to set up, test and submit a change",
    assets="code",
    level="5s",
    sources="S3",
    fix="Write CONTRIBUTING.md: how to set up, which checks must pass, how to submit.",
    template=("CONTRIBUTING.md", "AGENTS.md"),
)
def contributing(project: Project) -> Verdict:
    """Look for a guide that says how."""
    found = list(guides(project))
    good = [e for e, says in found if says]
    if good:
        first = [e for e in good if e.span.path == good[0].span.path]
        first.sort(key=lambda e: not _PLAINLY.search(e.detail))
        pages = {d.path for d in project.docs.guide}
        others = [e for e in good if e not in first and e.span.path in pages]
        return passed(
            f"{good[0].span.path} says how to work on the project", [*first[:3], *others[:2]]
        )
    unread = project.docs.unread(FILES)
    if unread:
        return unknown(f"{unread[0].span.path} could not be read", unread)
    headings = [e for e, _ in found if re.search("contribut", str(e), re.IGNORECASE)]
    if headings:
        return hollow(
            f"{headings[0].span.path} says nothing on set-up, tests or changes",
            headings[:3],
            looked_for=_LOOKED_FOR,
        )
    return failed("nothing says how to contribute", looked_for=_LOOKED_FOR)
