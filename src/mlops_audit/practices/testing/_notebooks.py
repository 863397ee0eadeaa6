"""Notebooks with assertions that CI or a test runner executes."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence

__all__ = ["executed_notebooks"]


def executed_notebooks(project: Project) -> list[Evidence]:
    """The first assertion of each notebook that CI executes, or a notebook test tool runs."""
    reached = {w.node.key[0] for w in project.automation.of("notebook")}
    everywhere = bool(project.uses("test.notebook", test=None)) or any(
        o.startswith(("--nbval", "--nbmake"))
        for c in project.tests.configs.values()
        for o in c.options
    )
    found = []
    for path, notebook in sorted(project.notebooks.items()):
        if notebook.module is None or not (everywhere or path in reached):
            continue
        real = [a for a in notebook.module.asserts if not a.constant]
        if real:
            found.append(Evidence(real[0].span, f"assert {real[0].test}"))
    return found
