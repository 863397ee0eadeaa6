"""Containers and deployments: compose services, dev containers, images, platform files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.dockerfile import (
    Copy,
    Dockerfile,
    Stage,
    docker_target,
    read_dockerfile,
)
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.tasks import node_commands
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Command, Getter, Target, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = [
    "Containers",
    "Copy",
    "DeployFile",
    "Dockerfile",
    "Service",
    "Stage",
    "compose_targets",
    "docker_target",
    "is_compose",
    "is_dockerfile",
    "read_compose",
    "read_containers",
    "read_deploy_file",
    "read_dockerfile",
]

_DOCKERFILE = regex(
    r"(?:^|/)(?:[\w.-]*\.)?(?:[Dd]ockerfile|[Cc]ontainerfile)(?:[.-][\w.-]+|_[\w-]+|[A-Z\d][\w-]*)?$"
)
_NO_DOCKERFILE = regex(r"\.(?:md|dockerignore|py|ya?ml|json|txt|sh)$")
_COMPOSE = regex(r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$|(?:^|/)[\w-]+[.-]compose\.ya?ml$")
_DEPLOY: Mapping[str, str] = {
    "app.yaml": "app-engine", "fly.toml": "fly", "render.yaml": "render", "vercel.json": "vercel",
    "netlify.toml": "netlify", "railway.json": "railway", "railway.toml": "railway",
    "serverless.yml": "serverless", "serverless.yaml": "serverless", "flake.nix": "nix",
    "shell.nix": "nix", "default.nix": "nix", "dev.nix": "nix", "devenv.nix": "nix",
    "devbox.json": "devbox", "Vagrantfile": "vagrant",
    "bentofile.yaml": "bentoml", "cog.yaml": "cog", "heroku.yml": "heroku", "samconfig.toml": "sam",
    "skaffold.yaml": "skaffold", "Tiltfile": "tilt", "devcontainer.json": "devcontainer",
    ".devcontainer.json": "devcontainer", "truss.yaml": "truss", "modal.toml": "modal",
}  # fmt: skip
_DEPLOY_NAME = regex(
    r"(?:^|/)(?P<apptainer>[\w.-]+\.def|Singularity[\w.-]*)$|(?P<packer>\.pkr\.(?:hcl|json))$|"
    r"(?:^|/)[\w.-]*(?P<cluster>cluster|compute)[_-]?env(?:ironment)?[\w.-]*\.ya?ml$"
)


class Service(Struct, frozen=True):
    """One service of a compose file; `context` and `dockerfile` are relative to the root."""

    name: str
    span: Span
    image: str = ""
    context: str = ""
    dockerfile: str = ""
    command: tuple[Command, ...] = ()
    entrypoint: tuple[Command, ...] = ()
    healthcheck: tuple[Command, ...] = ()
    healthcheck_span: Span | None = None
    environment: tuple[tuple[str, str, Span], ...] = ()
    ports: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class DeployFile(Struct, frozen=True):
    """A file that describes an environment or a deployment to a platform.

    `kind` is `devcontainer`, `nix`, `apptainer`, `packer`, `vagrant`, `app-engine`, `fly`,
    `cluster` (the environment of a cluster's machines), ...;
    `image` and `dockerfile` where it names one, `commands` what it runs.
    """

    kind: str
    path: str
    span: Span
    image: str = ""
    dockerfile: str = ""
    commands: tuple[Command, ...] = ()


class Containers(Struct, frozen=True):
    """All of a tree's container and platform files."""

    dockerfiles: tuple[Dockerfile, ...] = ()
    services: tuple[Service, ...] = ()
    deployments: tuple[DeployFile, ...] = ()
    unreadable: tuple[Unreadable, ...] = field(default=())


def is_dockerfile(path: str) -> bool:
    """Whether a path names a Dockerfile (any `Dockerfile*`, `*.Dockerfile`, Containerfile)."""
    return bool(_DOCKERFILE.search(path)) and not _NO_DOCKERFILE.search(path)


def is_compose(path: str) -> bool:
    """Whether a path names a compose file."""
    return bool(_COMPOSE.search(path))


def _command(node: Node | None, path: str, folder: str = "") -> tuple[Command, ...]:
    """A command as a list of words, or as a text."""
    if node is None:
        return ()
    if node.kind == "scalar":
        line = node.text_line or node.line
        return parse_shell(node.text.replace("$$", "$"), path=path, line=line, errexit=False)
    words = node.strings()
    if not words:
        return ()
    found: tuple[Command, ...] = (Command(words, Span(path, node.line), " ".join(words), folder),)
    if words[1:2] in {("-c",), ("-ec",), ("-lc",)} and len(words) > 2:  # noqa: PLR2004 -- `sh -c text`
        found += parse_shell(words[2], path=path, line=node.line, errexit=False)
    return found


def read_compose(data: bytes, path: str) -> tuple[Service, ...] | Unreadable:
    """Read a compose file's services."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    services = root.get("services") or EMPTY
    return tuple(
        _service(name, entry.node, path, entry.line)
        for name, entry in services.entries.items()
        if entry.node.kind == "map"
    )


def _service(name: str, node: Node, path: str, line: int) -> Service:
    folder = posixpath.dirname(path)
    build = node.get("build")
    context = dockerfile = ""
    if build is not None and not build.is_null:
        raw = build.text if build.kind == "scalar" else build.str_at("context") or "."
        context = posixpath.normpath(posixpath.join(folder, raw))
        dockerfile = posixpath.normpath(
            posixpath.join(context, build.str_at("dockerfile") or "Dockerfile")
        )
    environment: list[tuple[str, str, Span]] = []
    variables = node.get("environment") or EMPTY
    for key, entry in variables.entries.items():
        environment.append((key, entry.node.text, Span(path, entry.line)))
    for part in variables.list():
        key, _, value = part.text.partition("=")
        environment.append((key, value, Span(path, part.line)))
    check = node.get("healthcheck")
    test = check.get("test") if check is not None and check.str_at("disable") != "true" else None
    words = test.strings() if test is not None and test.kind == "list" else ()
    health = _command(test, path)
    if words[:1] in {("CMD",), ("CMD-SHELL",), ("NONE",)}:
        text = " ".join(words[1:])
        at = test.line if test is not None else line
        health = parse_shell(text, path=path, line=at) if words[0] != "NONE" else ()
    depends = node.get("depends_on") or EMPTY
    return Service(
        name=name,
        span=Span(path, line),
        image=node.str_at("image"),
        context="" if context == "." else context,
        dockerfile=dockerfile,
        command=_command(node.get("command"), path),
        entrypoint=_command(node.get("entrypoint"), path),
        healthcheck=health,
        healthcheck_span=Span(path, check.line) if check is not None and health else None,
        environment=tuple(environment),
        ports=tuple(n.text or n.str_at("target") for n in node.list_at("ports")),
        needs=depends.strings() or depends.keys(),
    )


def compose_targets(services: Iterable[Service]) -> tuple[Target, ...]:
    """Services as targets of the runner `compose`."""
    return tuple(
        Target(
            "compose",
            s.name,
            s.span,
            (*s.entrypoint, *s.command),
            s.needs,
            inputs=(s.dockerfile,) if s.dockerfile else (),
            folder=posixpath.dirname(s.span.path),
        )
        for s in services
    )


def deploy_kind(path: str) -> str:
    """The kind of platform or environment file that a path names, or an empty string."""
    name = posixpath.basename(path)
    found = _DEPLOY_NAME.search(path)
    return _DEPLOY.get(name) or (found.lastgroup or "" if found else "")


def read_deploy_file(data: bytes, path: str) -> DeployFile | Unreadable | None:
    """Read a platform or environment file; None where the path names none."""
    kind = deploy_kind(path)
    if not kind or not data.strip():
        return None
    span = Span(path)
    if kind == "apptainer":
        return _apptainer(decode(data[: 256 * 1024]) or "", path)
    if kind in {"nix", "vagrant", "packer", "tilt"}:
        return DeployFile(kind, path, span)
    suffix = posixpath.splitext(path)[1]
    loader = {".json": load_json, ".toml": load_toml}.get(suffix, load_yaml)
    root = loader(data, path)
    if isinstance(root, Unreadable):
        return root
    if kind == "cluster" and not root.str_at("base_image"):
        return None
    if kind == "app-engine" and root.get("runtime") is None:
        return None
    base = posixpath.dirname(path)
    dockerfile = root.str_at("build", "dockerfile") or root.str_at("dockerFile")
    place = posixpath.normpath(posixpath.join(base, dockerfile)) if dockerfile else ""
    commands: tuple[Command, ...] = ()
    for key in ("postCreateCommand", "onCreateCommand", "updateContentCommand", "postStartCommand"):
        node = root.get(key)
        nodes = [n for _, n in node.items()] if node is not None and node.kind == "map" else [node]
        commands += tuple(c for n in nodes for c in _command(n, path))
    commands += _command(root.get("entrypoint"), path)
    for command in root.list_at("post_build_cmds"):
        commands += _command(command, path)
    for service in root.list_at("services"):
        for key in ("buildCommand", "startCommand"):
            commands += node_commands(service.get(key), path)
    for process in (root.get("processes") or EMPTY).entries.values():
        commands += node_commands(process.node, path)
    based = root.get("image") or root.get("base_image")
    image = root.str_at("image") or root.str_at("base_image")
    span = Span(path, based.line) if based is not None and image else span
    return DeployFile(kind, path, span, image, place, commands)


def _apptainer(text: str, path: str) -> DeployFile | None:
    """A definition file: its base image and the sections that run commands."""
    base = re.search(r"^\s*From:\s*(\S+)", text, re.MULTILINE | re.IGNORECASE)
    if not re.search(r"^\s*Bootstrap:", text, re.MULTILINE | re.IGNORECASE):
        return None
    commands: list[Command] = []
    section, start, lines = "", 1, list[str]()
    for number, line in enumerate([*text.split("\n"), "%end"], 1):
        if line.startswith("%"):
            if section in {"post", "runscript", "startscript", "test"}:
                commands += parse_shell("\n".join(lines), path=path, line=start)
            section, start, lines = line[1:].split(" ")[0].strip(), number + 1, []
        else:
            lines.append(line)
    if base is None:
        return DeployFile("apptainer", path, Span(path), "", "", tuple(commands))
    span = Span(path, text.count("\n", 0, base.start(1)) + 1)
    return DeployFile("apptainer", path, span, base[1], "", tuple(commands))


def read_containers(paths: Iterable[str], get: Getter) -> Containers:
    """Read all container and platform files of a tree, in the order of the sorted paths."""
    dockerfiles: list[Dockerfile] = []
    services: list[Service] = []
    deployments: list[DeployFile] = []
    unreadable: list[Unreadable] = []
    for path in sorted(paths):
        docker, compose = is_dockerfile(path), is_compose(path)
        if not docker and not compose and not deploy_kind(path):
            continue
        data = get(path)
        if data is None:
            continue
        if docker:
            dockerfile = read_dockerfile(data, path)
            dockerfiles += [dockerfile] if dockerfile.stages else []
            continue
        found = read_compose(data, path) if compose else read_deploy_file(data, path)
        if isinstance(found, Unreadable):
            unreadable.append(found)
        elif isinstance(found, tuple):
            services += found
        elif found is not None:
            deployments.append(found)
    return Containers(tuple(dockerfiles), tuple(services), tuple(deployments), tuple(unreadable))
