"""Where tools are configured or run: sections of settings files, hooks, commands, dependencies."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.graph import Project
from mlops_audit.graph.catalogue import Match
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = [
    "declared",
    "documented",
    "empty",
    "files",
    "hooks",
    "imported",
    "sections",
    "switched_off",
]

_HOOK_RUNNERS = frozenset({"pre-commit", "lefthook", "husky", "githooks", "lint-staged"})
_COMMENTED = regex(r"\s*#[\s#-]*id:\s*['\"]?([\w.-]{1,60})")
_DOCUMENTS = (
    "readme*", "contributing*", "agents.md", "docs/**/*.md", "docs/**/*.rst", "**/readme.md",
)  # fmt: skip


def imported(project: Project, libraries: Container[str]) -> list[Evidence]:
    """Where any of these libraries is imported, tests included."""
    return [
        Evidence(item.span, f"imports {item.dotted}")
        for module in project.modules.values()
        for item in module.imports
        if item.root in libraries
    ]


def sections(project: Project) -> Iterator[tuple[str, Evidence]]:
    """The tools that pyproject, setup.cfg and tox.ini configure, as `ruff` or `ruff.format`.

    A table without a single setting configures nothing.
    """
    for path in project.glob("**/pyproject.toml"):
        root = load_toml(project.data(path) or b"", path)
        tool = root.get("tool") if isinstance(root, Node) else None
        for entry in tool.entries.values() if tool else ():
            if not _says(entry.node):
                continue
            yield entry.key, Evidence(Span(path, entry.line), f"[tool.{entry.key}]")
            for inner in entry.node.entries.values():
                if not _says(inner.node):
                    continue
                name = f"{entry.key}.{inner.key}"
                yield name, Evidence(Span(path, inner.line), f"[tool.{name}]")
    for path in project.glob("**/setup.cfg", "**/tox.ini"):
        read = load_ini(project.data(path) or b"", path)
        for entry in read.entries.values() if isinstance(read, Node) else ():
            if not _says(entry.node):
                continue
            name = entry.key.replace("tool:", "")
            yield name, Evidence(Span(path, entry.line), f"[{entry.key}]")


def _says(node: Node) -> bool:
    """Whether a table holds a setting, at any depth."""
    return node.kind != "map" or any(_says(entry.node) for entry in node.entries.values())


def files(project: Project, *capabilities: str) -> Iterator[tuple[Match, Evidence]]:
    """Files whose name configures a tool, empty ones left out."""
    for path in project.paths:
        for match in project.catalogue.file(path):
            if match.capability in capabilities and (project.text(path) or "").strip():
                yield match, Evidence(Span(path), f"configures {match.tool.name}")


def empty(project: Project, *capabilities: str) -> list[Evidence]:
    """Files whose name configures a tool and that hold nothing."""
    return [
        Evidence(Span(path), f"an empty file of {match.tool.name}")
        for path in project.paths
        for match in project.catalogue.file(path)
        if match.capability in capabilities and not (project.text(path) or "").strip()
    ]


def switched_off(project: Project, *capabilities: str) -> list[Evidence]:
    """Hooks that are commented out."""
    found = []
    for path in project.glob("**/.pre-commit-config.y*ml"):
        for number, line in enumerate(project.lines(path), 1):
            hook = _COMMENTED.match(line)
            if hook and any(m.capability in capabilities for m in project.catalogue.hook(hook[1])):
                found.append(Evidence(Span(path, number), f"commented out: {hook[1]}"))
    return found


def hooks(project: Project, *capabilities: str) -> Iterator[tuple[Match, Evidence]]:
    """Commit hooks that run a tool."""
    for target in project.targets:
        if target.runner not in _HOOK_RUNNERS:
            continue
        found = [*project.catalogue.hook(target.name)]
        for command in target.commands:
            found += project.catalogue.command(command.argv)
        for match in found:
            if match.capability in capabilities:
                yield match, Evidence(target.span, f"hook {target.name}")


def declared(project: Project, *capabilities: str) -> list[Evidence]:
    """Dependencies on tools that have one of the capabilities."""
    found = []
    for requirement in project.dependencies.requirements:
        tool = project.catalogue.package(requirement.name)
        if tool and set(tool.capabilities) & set(capabilities):
            found.append(Evidence(requirement.span, f"depends on {requirement.raw}"))
    return found


_TREE = regex(r"\s*[|\u2502\u251c\u2514]")  # of files, or a table


def documented(project: Project, pattern: re.Pattern[str]) -> list[Evidence]:
    """Lines of readmes and documentation in which a command stands."""
    found = []
    for path in project.glob(*_DOCUMENTS):
        for number, line in enumerate(project.lines(path), 1):
            if len(line) < 500 and pattern.search(line) and not _TREE.match(line):  # noqa: PLR2004 -- no command of a person is longer
                found.append(Evidence(Span(path, number), line.strip()))
    return found
