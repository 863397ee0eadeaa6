"""AUT16."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "hooks in .pre-commit-config.yaml, lefthook, husky, or a script that the set-up installs"
)
_HOOK_SCRIPT = regex(r"(^|/)\.?(git-?hooks|hooks|\.husky)/(pre-commit|pre-push|commit-msg)$")
_INSTALLS = regex(r"core\.hooksPath|\.git/hooks")


@practice(
    id="AUT16",
    title="Hooks check each commit",
    assets="code",
    level="2s",
    sources="F",
    fix="Add a .pre-commit-config.yaml with at least a linter, and install it in the set-up.",
    template=(".pre-commit-config.yaml",),
)
def pre_commit(project: Project) -> Verdict:
    """At least one real hook of pre-commit, lefthook, husky or an installed hook script."""
    hooks = [t for t in project.targets if t.runner in {"pre-commit", "lefthook", "husky"}]
    if hooks:
        names = ", ".join(dict.fromkeys(t.name for t in hooks[:4]))
        return passed(
            f"Hooks run at each commit: {names}.",
            [Evidence(t.span, f"hook {t.name}") for t in hooks],
        )
    scripts = [p for p in project.paths if _HOOK_SCRIPT.search(p)]
    installs = [
        Evidence(c.span, c.text)
        for c, _ in project.all_commands
        if any(_INSTALLS.search(a) for a in c.argv)
    ]
    if scripts and installs:
        return passed(
            "The set-up installs a hook script.",
            [Evidence(Span(scripts[0]), "hook script"), *installs],
        )
    files = project.glob(
        "**/.pre-commit-config.y*ml", "**/lefthook.y*ml", "**/.lefthook.y*ml", ".husky/*"
    )
    if files:
        return hollow(
            "The hook file has no hook that runs.",
            Evidence(Span(files[0]), "no hooks"),
            looked_for=_LOOKED_FOR,
        )
    return failed("No hooks check a commit.", looked_for=_LOOKED_FOR)
