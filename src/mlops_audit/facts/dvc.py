"""DVC: stages of dvc.yaml, what dvc.lock recorded, `.dvc` pointers, remotes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from mlops_audit.facts.dvcvars import Scope, expansions
from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import Node, Plain
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Target, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span

__all__ = [
    "DvcConfig",
    "DvcEntry",
    "DvcLock",
    "DvcPath",
    "DvcPipeline",
    "DvcPointer",
    "DvcRemote",
    "DvcStage",
    "LockedStage",
    "dvc_targets",
    "read_dvc_config",
    "read_dvc_lock",
    "read_dvc_pointer",
    "read_dvc_yaml",
    "read_gto_artifacts",
]

_EMPTY = Node("map", 1)
_MAX_STAGES = 2_000
_REMOTE = re.compile(r"'?remote\s+\"([^\"]+)\"'?")
_SHARED = re.compile(r"[a-z][a-z0-9+.\-]*://|[\w.\-]+@[\w.\-]+:", re.IGNORECASE)

Getter = Callable[[str], bytes | None]


class DvcPath(Struct, frozen=True):
    """A dependency or output; `path` is relative to the repository's root, or a URL."""

    path: str
    span: Span
    cached: bool = True  # `cache: false` leaves an output to git
    remote: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()


class DvcStage(Struct, frozen=True):
    """A stage of dvc.yaml with variables filled in; `params` are (file, key) pairs.

    `outs` holds metrics and plots too. An empty key means the whole file.
    """

    name: str
    span: Span
    cmd: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    deps: tuple[DvcPath, ...] = ()
    outs: tuple[DvcPath, ...] = ()
    metrics: tuple[DvcPath, ...] = ()
    plots: tuple[DvcPath, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    frozen: bool = False
    always_changed: bool = False
    description: str = ""


class DvcPipeline(Struct, frozen=True):
    """One dvc.yaml: stages, artifacts (name, path), and metrics and plots declared at its top."""

    path: str
    stages: tuple[DvcStage, ...] = ()
    artifacts: tuple[DvcPath, ...] = ()
    metrics: tuple[DvcPath, ...] = ()
    plots: tuple[DvcPath, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def lock_path(self) -> str:
        """The path of the dvc.lock that belongs to it."""
        return posixpath.join(posixpath.dirname(self.path), "dvc.lock")


class DvcEntry(Struct, frozen=True):
    """A recorded file: hash, size and number of files; `rev` and `repo` of an import."""

    path: str
    span: Span
    md5: str = ""
    size: int | None = None
    nfiles: int | None = None
    rev: str = ""
    repo: str = ""
    remote: str = ""
    cached: bool = True


class LockedStage(Struct, frozen=True):
    """What dvc.lock recorded of a stage's last run."""

    name: str
    span: Span
    cmd: tuple[str, ...]
    deps: tuple[DvcEntry, ...]
    outs: tuple[DvcEntry, ...]
    params: tuple[tuple[str, str, Plain], ...]  # file, key, value


class DvcLock(Struct, frozen=True):
    """One dvc.lock."""

    path: str
    schema: str
    stages: Mapping[str, LockedStage] = field(default_factory=dict)


class DvcPointer(Struct, frozen=True):
    """One `.dvc` file: what it tracks and, for an import, where from."""

    path: str
    span: Span
    outs: tuple[DvcEntry, ...] = ()
    deps: tuple[DvcEntry, ...] = ()
    frozen: bool = False


class DvcRemote(Struct, frozen=True):
    """A remote; `shared` is False for a path of one machine."""

    name: str
    url: str
    span: Span
    shared: bool


class DvcConfig(Struct, frozen=True):
    """`.dvc/config`: remotes, and the name of the default one."""

    path: str
    remotes: tuple[DvcRemote, ...] = ()
    default: str = ""
    no_scm: bool = False


def _place(folder: str, path: str) -> str:
    """A path of a DVC file, relative to the repository's root; URLs and absolute ones stay."""
    if "://" in path or path.startswith("/") or "${" in path:
        return path
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


# -- dvc.yaml -----------------------------------------------------------------------------------


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
    for name, entry in (root.get("stages") or _EMPTY).entries.items():
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
            _place(folder, scope.fill(entry.node.str_at("path"))),
            Span(path, entry.line),
            description=entry.node.str_at("desc")
            or entry.node.str_at("description")
            or entry.node.str_at("type"),
            labels=(name, *(entry.node.get("labels") or _EMPTY).strings()),
        )
        for name, entry in (node or _EMPTY).entries.items()
        if entry.node.kind == "map"
    )


def _stage(name: str, line: int, node: Node, scope: Scope, path: str, get: Getter) -> DvcStage:
    base = posixpath.dirname(path)
    folder = _place(base, scope.fill(node.str_at("wdir") or "."))
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
        always_changed=node.str_at("always_changed") == "true",
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
            place = _place(folder, scope.fill(part.text))
            found.append(DvcPath(place, Span(path, part.line), cached))
            continue
        for key, entry in part.entries.items():
            options = entry.node
            found.append(
                DvcPath(
                    _place(folder, scope.fill(key)),
                    Span(path, entry.line),
                    cached and options.str_at("cache") != "false",
                    options.str_at("remote"),
                    options.str_at("desc"),
                    (options.get("labels") or _EMPTY).strings(),
                )
            )
    return tuple(found)


def _params(node: Node | None, scope: Scope, folder: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in node.many() if node is not None else ():
        if part.kind == "scalar":
            found.append((_place(folder, "params.yaml"), scope.fill(part.text)))
            continue
        for file, keys in part.items():
            place = _place(folder, scope.fill(file))
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


# -- dvc.lock, .dvc files, configuration --------------------------------------------------------


def read_dvc_lock(data: bytes, path: str) -> DvcLock | Unreadable:
    """Read a dvc.lock of schema 1 or 2."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    schema = root.str_at("schema")
    stages = root.get("stages") if schema else root
    folder = posixpath.dirname(path)
    found: dict[str, LockedStage] = {}
    for name, entry in (stages or _EMPTY).entries.items():
        node = entry.node
        if node.kind != "map":
            continue
        params: list[tuple[str, str, Plain]] = []
        for file, values in (node.get("params") or _EMPTY).items():
            place = _place(folder, file)
            if values.kind == "map":
                params += [(place, key, value.plain()) for key, value in values.items()]
        found[name] = LockedStage(
            name,
            Span(path, entry.line),
            (node.get("cmd") or _EMPTY).strings(),
            _entries(node.get("deps"), folder, path),
            _entries(node.get("outs"), folder, path),
            tuple(params),
        )
    return DvcLock(path, schema, found)


def _entries(node: Node | None, folder: str, path: str) -> tuple[DvcEntry, ...]:
    found: list[DvcEntry] = []
    for part in node.list() if node is not None else ():
        if part.kind != "map" or not part.str_at("path"):
            continue
        found.append(
            DvcEntry(
                _place(folder, part.str_at("path")),
                Span(path, part.line_of("path")),
                part.str_at("md5") or part.str_at("etag") or part.str_at("checksum"),
                _number(part.get("size")),
                _number(part.get("nfiles")),
                part.str_at("repo", "rev_lock") or part.str_at("repo", "rev"),
                part.str_at("repo", "url"),
                part.str_at("remote"),
                part.str_at("cache") != "false",
            )
        )
    return tuple(found)


def _number(node: Node | None) -> int | None:
    value = node.value if node is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_dvc_pointer(data: bytes, path: str) -> DvcPointer | Unreadable:
    """Read a `.dvc` file."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    folder = _place(posixpath.dirname(path), root.str_at("wdir") or ".")
    outs = _entries(root.get("outs"), folder, path)
    deps = _entries(root.get("deps"), folder, path)
    return DvcPointer(path, Span(path), outs, deps, root.str_at("frozen") == "true")


def read_dvc_config(data: bytes, path: str) -> DvcConfig | Unreadable:
    """Read `.dvc/config`: a remote is shared unless its URL is a path of one machine."""
    root = load_ini(data, path)
    if isinstance(root, Unreadable):
        return root
    remotes: list[DvcRemote] = []
    for name, entry in root.entries.items():
        found = _REMOTE.fullmatch(name.strip())
        if not found:
            continue
        url = entry.node.str_at("url")
        span = Span(path, entry.node.line_of("url"))
        local = url.startswith("file://") or not _SHARED.match(url)
        # `remote://other/path` is a part of another remote.
        remotes.append(DvcRemote(found[1], url, span, shared=bool(url) and not local))
    by_name = {r.name: r for r in remotes}
    resolved = tuple(DvcRemote(r.name, r.url, r.span, _base_shared(r, by_name)) for r in remotes)
    default = root.str_at("core", "remote")
    return DvcConfig(path, resolved, default, root.str_at("core", "no_scm").lower() == "true")


def _base_shared(remote: DvcRemote, by_name: Mapping[str, DvcRemote]) -> bool:
    for _ in range(5):
        if not remote.url.startswith("remote://"):
            break
        base = by_name.get(remote.url.removeprefix("remote://").split("/")[0])
        if base is None:
            return False
        remote = base
    return remote.shared
