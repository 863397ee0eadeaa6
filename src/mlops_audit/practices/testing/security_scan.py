"""TST17: dependencies, code or secrets are scanned in hooks or CI."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._tools import declared, files, hooks, sections
from mlops_audit.regex import regex

_LOOKED = "pip-audit, bandit, CodeQL, trivy, gitleaks or another scanner in hooks or CI"
_SCANS = ("security.scan", "secrets.scan")
_SECTIONS = regex(r"^(bandit|semgrep|detect-secrets|pip-audit|safety|gitleaks)$")
_BASELINES = ("**/.secrets.baseline", "**/.gitleaks.toml", "**/.bandit", "**/.trivyignore",
              "**/.gitleaksignore", "**/.snyk", "**/security.md")  # fmt: skip


@practice(
    id="TST17",
    title="Dependencies, code or secrets are scanned",
    assets="code",
    level="5s",
    sources="S2",
    fix="Add gitleaks and pip-audit as a commit hook and as a CI job.",
    template=(
        ".pre-commit-config.yaml",
        ".github/workflows/verify.yml",
        "Makefile",
    ),
)
def security_scan(project: Project) -> Verdict:
    """Look for scanners that hooks or automation run, then for those that only stand there."""
    hard = [e for _, e in hooks(project, *_SCANS)]
    soft: list[tuple[Evidence, str]] = []
    for use, way, evidence in project.reached_uses(project.automation, *_SCANS):
        if use.soft or way.soft:
            soft.append((evidence, use.why_soft or way.why))
        else:
            hard.append(evidence)
    if hard:
        return passed("scanners run in hooks or CI", hard)
    if soft:
        return partial(f"a scanner runs, but cannot fail the job: {soft[0][1]}", [soft[0][0]])
    idle = [u.evidence() for u in project.uses(*_SCANS) if u.where != "call"]
    idle += [e for name, e in sections(project) if _SECTIONS.match(name)]
    idle += declared(project, *_SCANS)
    if idle:
        return partial("a scanner is set up, but neither hooks nor CI run it", idle)
    left = [e for _, e in files(project, *_SCANS)]
    left += [Evidence(Span(p), "stands without a scanner") for p in project.glob(*_BASELINES)]
    if left:
        reason = "a baseline or policy stands there, and no scanner runs"
        return hollow(reason, left, looked_for=_LOOKED)
    return failed("nothing scans dependencies, code or secrets", looked_for=_LOOKED)
