"""MON08: a bot or a scheduled job updates or audits the dependencies."""

from __future__ import annotations

import re

from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import TriggerKind, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "Dependabot, Renovate or pyup with entries, or a scheduled job that updates or audits the "
    "dependencies"
)
_BOTS = (
    ".github/dependabot.y*ml",
    ".dependabot/config.y*ml",
    "**/renovate.json*",
    "**/.renovaterc*",
    ".pyup.y*ml",
    "**/renovate-config.js",
)
_AUDIT_WORDS = regex(
    r"pip-audit|safety (check|scan)|osv-scanner|snyk test|trivy|grype|dependency-check|pip list "
    r"--outdated|poetry show --outdated|uv audit|npm audit",
    re.IGNORECASE,
)


@practice(
    id="MON08",
    title="Dependencies are updated or audited regularly",
    assets="code",
    level="3s",
    sources="S2 S3 S4",
    fix="Add .github/dependabot.yml with an entry for pip and one for GitHub Actions.",
    template=(
        ".github/dependabot.yml",
        ".github/workflows/verify.yml",
    ),
)
def dependency_updates(project: Project) -> Verdict:
    """A bot with entries, or a job on a schedule."""
    bots, empty, broken = _bots(project)
    if bots:
        return passed(f"{bots[0].detail}.", bots)
    if scheduled := _scheduled(project):
        return passed("A scheduled job updates or audits the dependencies.", scheduled)
    if broken:
        return unknown("The bot's file could not be understood.", broken)
    if empty:
        return hollow("The bot's file has no entry.", empty, looked_for=_LOOKED_FOR)
    return failed("Nothing updates or audits the dependencies.", looked_for=_LOOKED_FOR)


def _bots(project: Project) -> tuple[list[Evidence], list[Evidence], list[Evidence]]:
    """Files of bots: with entries, without, and those that could not be read."""
    good: list[Evidence] = []
    empty: list[Evidence] = []
    broken: list[Evidence] = []
    for path in project.glob(*_BOTS):
        data = project.data(path)
        if data is None:
            broken.append(Evidence(Span(path, None), "absent"))
            continue
        name = path.rsplit("/", 1)[-1]
        if name.endswith((".json5", ".js", ".jsonc")):
            text = data.decode("utf-8", "replace").strip()
            (good if len(text) > 2 else empty).append(Evidence(Span(path), "Renovate updates"))  # noqa: PLR2004 -- more than `{}`
            continue
        loader = load_json if name.endswith(("json", "rc")) else load_yaml
        root = loader(data, path)
        if isinstance(root, Unreadable):
            broken.append(Evidence(root.span, root.reason))
        elif entry := _entry(root, path):
            good.append(entry)
        else:
            empty.append(Evidence(Span(path), "no entry"))
    good += _hooks(project)
    return good, empty, broken


def _entry(root: Node, path: str) -> Evidence | None:
    """The first entry of a bot's file."""
    name = path.rsplit("/", 1)[-1]
    if "renovate" in name:
        on = root.str_at("enabled") != "false"
        return (
            Evidence(Span(path), "Renovate updates the dependencies")
            if on and root.entries
            else None
        )
    if "pyup" in name:
        off = root.str_at("schedule") == "" and root.str_at("update") in {"false", "False"}
        return None if off or not root.entries else Evidence(Span(path), "pyup updates")
    updates = root.get("updates") or root.get("update_configs")
    for item in updates.list() if updates is not None else ():
        limit = item.str_at("open-pull-requests-limit")
        system = item.str_at("package-ecosystem") or item.str_at("package_manager")
        if system and limit != "0":
            return Evidence(Span(path, item.line), f"Dependabot updates {system}")
    return None


def _hooks(project: Project) -> list[Evidence]:
    """pre-commit.ci with a schedule for updates that somebody wrote down."""
    found = []
    for path in project.glob(".pre-commit-config.y*ml"):
        root = load_yaml(project.data(path) or b"", path)
        if not isinstance(root, Unreadable) and root.str_at("ci", "autoupdate_schedule"):
            line = root.line_of("ci", "autoupdate_schedule")
            found.append(Evidence(Span(path, line), "pre-commit.ci updates the hooks"))
    return found


def _scheduled(project: Project) -> list[Evidence]:
    """Updates and audits that a schedule starts."""
    found = []
    reach = project.ci(TriggerKind.SCHEDULE)
    for use, _, evidence in project.reached_uses(reach, "dependency.update", "security.scan"):
        kind = use.details.kind if use.details else ""
        audits = use.capability == "security.scan" and (
            kind == "dependencies" or _AUDIT_WORDS.search(use.detail)
        )
        if use.capability == "dependency.update" or audits:
            found.append(evidence)
    return found
