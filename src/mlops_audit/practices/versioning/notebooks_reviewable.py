"""VER09: notebooks without stored outputs, so that a change can be read."""

from __future__ import annotations

from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.graph import Project
from mlops_audit.graph.sourcenotebooks import source_notebooks
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    counted,
    failed,
    not_applicable,
    partial,
    passed,
    unknown,
)
from mlops_audit.practices.base import practice

_HALF = 0.5
_LOOKED_FOR = "notebooks without outputs, or nbstripout, nb-clean or jupytext in hooks or CI"


@practice(
    id="VER09",
    title="Notebooks carry no outputs",
    assets="code",
    level="2s",
    sources="S1 S4",
    fix="Add nbstripout to .pre-commit-config.yaml and run it once over all notebooks.",
    template=(
        ".pre-commit-config.yaml",
        "Makefile",
        "notebooks/1.0-explore-demand.ipynb",
    ),
)
def notebooks_reviewable(project: Project) -> Verdict:
    """Judge the stored outputs, and what keeps them out."""
    clean, dirty = _sorted_notebooks(project)
    hidden = [p for p in project.paths if p.endswith(".ipynb") and p not in project.notebooks]
    count = len(clean) + len(dirty)
    if not count and not hidden:
        return _without_code(project)
    tools = _strippers(project)
    if not dirty and not hidden:
        where = [Evidence(Span(p), "no outputs") for p in clean[:5]]
        return passed(f"{count} of {count} notebooks have no outputs", [*where, *tools[:1]])
    stored = [Evidence(Span(p, cell=c), "stored outputs") for p, c in dirty[:5]]
    # What is hidden decides only where it could lift or lower the share over the half.
    whole = count + len(hidden)
    sure = bool(dirty) and len(clean) >= _HALF * whole
    if hidden and not sure and len(clean) + len(hidden) >= _HALF * whole:
        lacking = [Evidence(Span(p), project.unread.get(p, "not read")) for p in hidden[:5]]
        return unknown(f"{counted(hidden, 'notebook', 'notebooks')} could not be read", lacking)
    share = len(clean) / count if count else 0.0
    said = f"{len(clean)} of {count} notebooks have no outputs"
    if tools and share >= _HALF:
        return passed(f"outputs are stripped by {tools[0].detail}; {said}", tools[:2])
    if tools:
        return partial(f"a tool should strip outputs, but {said}", [*tools[:2], *stored])
    if share >= _HALF:
        where = [Evidence(Span(p), "no outputs") for p in clean[:5]]
        return partial(f"{said}; nothing keeps outputs out", where)
    paired = _paired(project, [p for p, _ in dirty])
    if paired:
        return partial(f"{said}, some are paired with text by jupytext", paired)
    return failed(said, looked_for=_LOOKED_FOR, evidence=stored)


def _without_code(project: Project) -> Verdict:
    """Notebooks that hold no code yet: what will keep their outputs out counts."""
    tools = _strippers(project) if project.notebooks else []
    if tools:
        return passed(f"outputs are stripped by {tools[0].detail}", tools[:2])
    return not_applicable("the project has no notebooks with code")


def _sorted_notebooks(project: Project) -> tuple[list[str], list[tuple[str, int]]]:
    """Notebooks with code, without outputs and (with the first such cell) with; copies once."""
    clean: list[str] = []
    dirty: list[tuple[str, int]] = []
    seen: set[object] = set()
    for path, notebook in project.notebooks.items():
        key = tuple(c.source for c in notebook.code_cells)
        if not key or key in seen:
            continue
        seen.add(key)
        if notebook.with_output:
            dirty.append((path, notebook.with_output[0].index))
        else:
            clean.append(path)
    return [*clean, *source_notebooks(project)], dirty


def _strippers(project: Project) -> list[Evidence]:
    """Hooks and CI steps that strip outputs or pair notebooks with text."""
    found = [
        u.evidence()
        for u in project.uses("notebook.strip", notebook=False)
        if u.where not in {"file", "command"}
    ]
    # A command counts where something runs it: one that waits for a person keeps nothing out.
    run = project.reached_uses(project.automation, "notebook.strip")
    found += [evidence for use, _, evidence in run if use.where == "command"]
    for path in project.glob("**/.pre-commit-config.y*ml"):
        tree = load_yaml(project.data(path) or b"", path)
        if isinstance(tree, Unreadable):
            continue
        repos = tree.get("repos")
        for repo in repos.many() if repos else ():
            hooks = repo.get("hooks")
            for hook in hooks.many() if hooks else ():
                name = hook.str_at("id")
                if any(
                    m.capability == "notebook.strip"
                    for m in project.catalogue.hook(name, repo.str_at("repo"))
                ) or name in {"nbstripout", "nb-clean", "jupytext"}:
                    found.append(Evidence(Span(path, hook.line_of("id")), f"the hook {name}"))
    return list({e.span: e for e in found}.values())


def _paired(project: Project, notebooks: list[str]) -> list[Evidence]:
    found = []
    for path in notebooks:
        for suffix in (".py", ".md"):
            twin = path.removesuffix(".ipynb") + suffix
            if project.has(twin) and "jupytext" in (project.text(twin) or "")[:800]:
                found.append(Evidence(Span(twin), f"jupytext pair of {path}"))
    return found
