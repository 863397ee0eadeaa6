"""DVC's pipelines: the stages of dvc.yaml with their variables, and artifacts.yaml."""

from __future__ import annotations

import posixpath

from mlops_audit.facts.dvctypes import DvcPath, DvcPipeline, DvcStage, place_of
from mlops_audit.facts.dvcvars import Scope, expansions
from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Getter, Target, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span

__all__ = ["dvc_targets", "read_dvc_yaml", "read_gto_artifacts"]

_MAX_STAGES = 2_000


def read_dvc_yaml(data: bytes, path: str, get: Getter = lambda _: None) -> DvcPipeline | Unreadable:
    """Read a dvc.yaml, its templates expanded.

    Args:
        data: the file's bytes.
        path: its path; its folder is where paths start.
        get: bytes of another file of the repository by path (params.yaml and `vars` files).
    """
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    folder = posixpath.dirname(path)
    scope = Scope.of_file(root.get("vars"), folder, get)
    stages: list[DvcStage] = []
    unreadable: list[Unreadable] = []
    for name, entry in (root.get("stages") or EMPTY).entries.items():
        if entry.node.kind != "map":
            unreadable.append(Unreadable(Span(path, entry.line), f"stage {name} is no map"))
            continue
        for full, body, own in expansions(name, entry.node, scope):
            if len(stages) < _MAX_STAGES:
                stages.append(_stage(full, entry.line, body, own, path, get))
    artifacts = _artifacts(root.get("artifacts"), scope, folder, path)
    return DvcPipeline(
        path,
        tuple(stages),
        artifacts,
        _paths(root.get("metrics"), scope, folder, path),
        _paths(root.get("plots"), scope, folder, path),
        tuple(unreadable),
    )


def read_gto_artifacts(data: bytes, path: str) -> DvcPipeline | Unreadable:
    """Read an `artifacts.yaml`, in which GTO kept what DVC now keeps in its own file."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    named = {n: e for n, e in root.entries.items() if e.node.str_at("path")}
    folder = posixpath.dirname(path)
    scope = Scope.of_file(None, folder, lambda _: None)
    return DvcPipeline(path, artifacts=_artifacts(root, scope, folder, path) if named else ())


def _artifacts(node: Node | None, scope: Scope, folder: str, path: str) -> tuple[DvcPath, ...]:
    return tuple(
        DvcPath(
            place_of(folder, scope.fill(entry.node.str_at("path"))),
            Span(path, entry.line),
            description=entry.node.str_at("desc")
            or entry.node.str_at("description")
            or entry.node.str_at("type"),
            labels=(name, *entry.node.strings_at("labels")),
        )
        for name, entry in (node or EMPTY).entries.items()
        if entry.node.kind == "map"
    )


def _stage(name: str, line: int, node: Node, scope: Scope, path: str, get: Getter) -> DvcStage:
    base = posixpath.dirname(path)
    folder = place_of(base, scope.fill(node.str_at("wdir") or "."))
    scope = scope.extended(node.get("vars"), folder, get)
    cmds: list[str] = []
    commands: list[Command] = []
    cmd = node.get("cmd")
    for part in cmd.many() if cmd is not None else ():
        text = scope.fill(part.text, command=True)
        cmds.append(text)
        start = part.text_line or part.line
        commands += parse_shell(text, path=path, line=start, errexit=False)
    metrics = _paths(node.get("metrics"), scope, folder, path, cached=True)
    plots = _paths(node.get("plots"), scope, folder, path, cached=True)
    return DvcStage(
        name=name,
        span=Span(path, line),
        cmd=tuple(cmds),
        commands=tuple(commands),
        deps=_paths(node.get("deps"), scope, folder, path),
        outs=(*_paths(node.get("outs"), scope, folder, path), *metrics, *plots),
        metrics=metrics,
        plots=plots,
        params=_params(node.get("params"), scope, folder),
        folder=folder,
        frozen=node.str_at("frozen") == "true",
        description=node.str_at("desc"),
    )


def _paths(
    node: Node | None, scope: Scope, folder: str, path: str, *, cached: bool = True
) -> tuple[DvcPath, ...]:
    """`- a` and `- a: {cache: false}`; also a map of names, as top-level plots have it."""
    found: list[DvcPath] = []
    if node is None:
        return ()
    for part in node.many():
        if part.kind == "scalar":
            place = place_of(folder, scope.fill(part.text))
            found.append(DvcPath(place, Span(path, part.line), cached))
            continue
        for key, entry in part.entries.items():
            options = entry.node
            found.append(
                DvcPath(
                    place_of(folder, scope.fill(key)),
                    Span(path, entry.line),
                    cached and options.str_at("cache") != "false",
                    options.str_at("remote"),
                    options.str_at("desc"),
                    options.strings_at("labels"),
                )
            )
    return tuple(found)


def _params(node: Node | None, scope: Scope, folder: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in node.many() if node is not None else ():
        if part.kind == "scalar":
            found.append((place_of(folder, "params.yaml"), scope.fill(part.text)))
            continue
        for file, keys in part.items():
            place = place_of(folder, scope.fill(file))
            names = [scope.fill(k.text) for k in keys.many() if k.kind == "scalar"]
            found += [(place, name) for name in names] or [(place, "")]
    return tuple(found)


def dvc_targets(pipeline: DvcPipeline) -> tuple[Target, ...]:
    """Stages as targets of the runner `dvc`; a stage needs those whose outputs it reads."""
    owners = {out.path: stage.name for stage in pipeline.stages for out in stage.outs}
    found: list[Target] = []
    for stage in pipeline.stages:
        needs: list[str] = []
        for dep in stage.deps:
            parent = dep.path
            while parent:
                if parent in owners and owners[parent] != stage.name:
                    needs.append(owners[parent])
                    break
                parent = posixpath.dirname(parent) if parent != posixpath.dirname(parent) else ""
        found.append(
            Target(
                "dvc",
                stage.name,
                stage.span,
                stage.commands,
                tuple(dict.fromkeys(needs)),
                tuple(d.path for d in stage.deps),
                tuple(o.path for o in stage.outs),
                stage.folder,
                phony=False,
                doc=stage.description,
            )
        )
    return tuple(found)
