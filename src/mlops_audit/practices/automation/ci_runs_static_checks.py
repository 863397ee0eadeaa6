"""AUT07."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.execution import Way
from mlops_audit.model import Evidence, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = "a linter, a formatter that checks, or a type checker in a CI job"
_HOOKS = frozenset({"pre-commit", "lefthook", "husky"})
_CHECKS = ("lint.run", "format.check", "types.run")


@practice(
    id="AUT07",
    title="CI runs static checks",
    assets="code",
    level="5s",
    sources="S1 S3",
    fix="Run the linter and the formatter's check in CI, e.g. `ruff check .`.",
    template=(
        ".github/workflows/ci.yml",
        "Makefile",
        ".pre-commit-config.yaml",
    ),
)
def ci_runs_static_checks(project: Project) -> Verdict:
    """A linter, formatter check or type checker reached from CI whose failure fails the job."""
    hard: list[Evidence] = []
    soft: list[tuple[Evidence, str]] = []
    hooked = _hooks_check(project)
    for use, way, evidence in project.reached_uses(
        project.automation, *_CHECKS, "format.run", "hooks.run"
    ):
        if use.capability == "hooks.run":
            if not hooked:
                continue
            if way.soft or use.soft:
                soft.append((evidence, use.why_soft or way.why or "its failure is ignored"))
            else:
                hard.append(evidence)
        elif use.capability == "format.run" and not _in_hook(way):
            soft.append((evidence, "it rewrites the files and cannot fail"))
        elif way.soft or use.soft:
            soft.append((evidence, use.why_soft or way.why or "its failure is ignored"))
        else:
            hard.append(evidence)
    if hard:
        return passed("CI runs static checks that can fail the job.", hard)
    if soft:
        return partial(f"CI runs a static check, but {soft[0][1]}.", [e for e, _ in soft])
    return failed("CI runs no linter, formatter check or type checker.", looked_for=_LOOKED_FOR)


def _in_hook(way: Way) -> bool:
    """Whether pre-commit runs it: a hook that changes a file fails."""
    return any(n.kind == "target" and n.key[0] in _HOOKS for n in way.nodes())


def _hooks_check(project: Project) -> bool:
    """Whether a commit hook lints, formats or checks types."""
    for target in project.targets:
        if target.runner not in _HOOKS:
            continue
        matches = [
            *project.catalogue.hook(target.name),
            *(m for c in target.commands for m in project.catalogue.command(c.argv)),
        ]
        if any(m.capability in {*_CHECKS, "format.run"} for m in matches):
            return True
    return False
