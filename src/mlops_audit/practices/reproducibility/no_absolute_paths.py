"""REP07: no path of one person's machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.records import holds_records
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, counted, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.reproducibility._personal import personal_path
from mlops_audit.regex import regex

_CONFIG = regex(
    r"\.(ya?ml|json|toml|ini|cfg|conf|env|properties|sh|bash|bat|ps1|mk|r|jl|scala|hocon)$|"
    r"(^|/)(makefile|justfile|\.env[\w.-]*|\w{0,20}env[._-](example|sample|template|dist)|params|"
    r"snakefile|mlproject)$",
    re.IGNORECASE,
)
# A folder of an image, and the place in a container where compose puts a volume.
_HOME = regex(r"/home/([A-Za-z0-9][\w.-]{0,60})")
_HOME_TARGET = regex(r":/home/([A-Za-z0-9][\w.-]{0,60})")
# Files of containers, clusters and data: their paths are those of a machine made by code.
_ELSEWHERE = regex(
    r"(^|/)(dockerfile[^/]*|[^/]*\.dockerfile|(docker-)?compose[^/]*\.ya?ml|devcontainer\.json|"
    r"\.devcontainer\.json|package-lock\.json|poetry\.lock|\.gitpod[^/]*|launch\.json)$|"
    r"(^|/)(\.devcontainer|k8s|kubernetes|helm|charts|\.github|mlruns)/",
    re.IGNORECASE,
)
_MAX_BYTES = 400_000  # a larger JSON or YAML is data, not configuration
_FEW = 2
_LONG = 2_000  # characters of a line that a person wrote


@practice(
    id="REP07",
    title="No path of one person's machine in code or config",
    assets="code",
    level="1s",
    sources="S2",
    fix="Replace absolute paths by paths relative to the project, or by a setting with a default.",
    template=("params.yaml",),
)
def no_absolute_paths(project: Project) -> Verdict:
    """Judge string literals, commands and settings."""
    found = sorted(
        {*_in_code(project), *_in_notebooks(project), *_in_config(project)},
        key=lambda e: (
            e.span.path.endswith(".ipynb"),
            str(e.span.path),
            e.span.cell or 0,
            e.span.line or 0,
        ),
    )
    inside = _in_images(project)
    found = [e for e in found if inside is None or not inside.search(e.detail)]
    searched = (p for p in project.paths if p in project.unread)
    unread = sum(p.endswith((".py", ".ipynb")) or _is_config(project, p) for p in searched)
    tail = f" ({unread} files could not be read)" if unread else ""
    if not found:
        return passed(
            f"no path of one person's machine{tail}",
            Evidence(Span("."), f"{len(project.paths)} files looked at{tail}"),
        )
    said = f"{counted(found, 'line holds', 'lines hold')} a path of one person's machine{tail}"
    if len(found) <= _FEW and all(e.span.path.endswith(".ipynb") for e in found):
        return partial(f"{said}, in notebooks only", found)
    return failed(
        said, looked_for="only relative paths, or paths from settings", evidence=found[:10]
    )


def _in_images(project: Project) -> re.Pattern[str] | None:
    """The folders below `/home` that the project's images and containers have."""
    found: set[str] = set()
    for dockerfile in project.containers.dockerfiles:
        found.update(_HOME.findall(project.text(dockerfile.path) or ""))
    for service in project.containers.services:
        text = project.text(service.span.path) or ""
        found.update(_HOME_TARGET.findall(text))
    names = "|".join(re.escape(n) for n in sorted(found))
    return re.compile(rf"^(?:file://)?/home/({names})(/|$)") if found else None


def _in_code(project: Project) -> Iterator[Evidence]:
    for path, module in project.modules.items():
        if module.notebook or _ELSEWHERE.search(path):
            continue
        for text in module.texts:
            if not text.doc and (hit := personal_path(text.value)):
                yield Evidence(text.span, hit)
        for call in module.calls:
            if call.name.endswith("drive.mount"):
                yield Evidence(call.span, call.told)


def _in_notebooks(project: Project) -> Iterator[Evidence]:
    for path, notebook in project.notebooks.items():
        for cell in notebook.cells:
            if cell.kind != "code":
                continue
            for number, line in enumerate(cell.source.splitlines(), 1):
                if (
                    not line.lstrip().startswith("#")
                    and len(line) < _LONG
                    and (hit := personal_path(line))
                ):
                    yield Evidence(Span(path, number, cell.index), hit)


def _in_config(project: Project) -> Iterator[Evidence]:
    for path in project.paths:
        if _is_config(project, path):
            yield from _in_lines(path, project.text(path) or "")


def _is_config(project: Project, path: str) -> bool:
    small = (project.entry(path).size or 0) <= _MAX_BYTES
    return small and bool(_CONFIG.search(path)) and not _ELSEWHERE.search(path)


def _in_lines(path: str, text: str) -> Iterator[Evidence]:
    found: list[Evidence] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith(("#", "//", "REM ", ";", "::")) or len(line) > _LONG:
            continue
        if "prefix:" in bare and bare.startswith("prefix:"):
            continue  # where conda wrote the environment; it is ignored when read
        if hit := personal_path(line):
            found.append(Evidence(Span(path, number), hit))
    # What people wrote into records (answers, labels) says nothing of this project's machine.
    if found and not (path.lower().endswith(".json") and holds_records(text)):
        yield from found
