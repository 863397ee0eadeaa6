"""Git hooks: pre-commit, lefthook, husky, lint-staged and plain hook scripts."""

from __future__ import annotations

import posixpath
import shlex

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.tasks import node_commands
from mlops_audit.facts.types import Command, Target, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span

__all__ = [
    "Hook",
    "hook_targets",
    "read_hook_script",
    "read_lefthook",
    "read_lint_staged",
    "read_precommit",
]

_MAX_JOBS = 500
_GIT_HOOKS = frozenset({"pre-commit", "pre-push", "commit-msg", "pre-merge-commit", "post-commit"})


class Hook(Struct, frozen=True):
    """One hook of a `.pre-commit-config.yaml`.

    `repo` is the address, `local` or `meta`; `command` what a local hook with an entry runs.
    """

    id: str
    repo: str
    span: Span
    rev: str = ""
    name: str = ""
    entry: str = ""
    language: str = ""
    args: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    command: Command | None = None
    additional: tuple[str, ...] = ()


def read_precommit(data: bytes, path: str) -> tuple[Hook, ...] | Unreadable:
    """Read the hooks of a pre-commit configuration, in their order."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    repos = root if root.kind == "list" else root.get("repos") or EMPTY
    default = root.strings_at("default_stages")
    found: list[Hook] = []
    for repo in repos.list():
        hooks = repo.get("hooks") or EMPTY
        found += [_hook(n, repo, default, path) for n in hooks.list() if n.str_at("id")]
    return tuple(found)


def _hook(node: Node, repo: Node, default: tuple[str, ...], path: str) -> Hook:
    args = node.strings_at("args")
    entry = node.get("entry")
    command = None
    if entry is not None and entry.kind == "scalar" and node.str_at("language") != "pygrep":
        words = (*_split(entry.text), *args)
        if words:
            line = node.line_of("entry")
            command = Command(words, Span(path, line), f"{entry.text} {' '.join(args)}".strip())
    return Hook(
        id=node.str_at("id"),
        repo=repo.str_at("repo"),
        span=Span(path, node.line_of("id")),
        rev=repo.str_at("rev"),
        name=node.str_at("name"),
        entry=entry.text if entry is not None else "",
        language=node.str_at("language"),
        args=args,
        stages=node.strings_at("stages") or default,
        command=command,
        additional=node.strings_at("additional_dependencies"),
    )


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text[:10_000]))
    except ValueError:
        return tuple(text.split())


def hook_targets(hooks: tuple[Hook, ...]) -> tuple[Target, ...]:
    """Hooks as targets of the runner `pre-commit`, named by their id.

    A hook of another repository gives a command of its id and arguments, which is what runs.
    """
    found: list[Target] = []
    for hook in hooks:
        words = (hook.id, *hook.args)
        command = hook.command or Command(words, hook.span, " ".join(words))
        texts = {"bash", "sh"} & {command.argv[0].rsplit("/", 1)[-1]}
        commands: tuple[Command, ...] = (command,)
        if texts and "-c" in command.argv[1:2]:
            inner = " ".join(command.argv[2:3])
            commands += parse_shell(
                inner, path=hook.span.path, line=hook.span.line or 1, errexit=False
            )
        found.append(
            Target(
                "pre-commit",
                hook.id,
                hook.span,
                commands,
                doc=hook.name,
                folder=posixpath.dirname(hook.span.path),
                default="manual" not in hook.stages,
                installs=hook.additional,
            )
        )
    return tuple(found)


def read_lefthook(data: bytes, path: str) -> tuple[Target, ...] | Unreadable:
    """Read lefthook's hooks: `commands`, `jobs` and `scripts`; names are `hook/command`."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    found: list[Target] = []
    for hook, node in root.items():
        if node.kind != "map" or not {"commands", "jobs", "scripts"} & set(node.entries):
            continue
        for name, entry in (node.get("commands") or EMPTY).entries.items():
            found.append(_lefthook(f"{hook}/{name}", entry.node, path, entry.line))
        jobs = list(node.list_at("jobs"))
        number = 0
        while number < min(len(jobs), _MAX_JOBS):
            job = jobs[number]
            number += 1
            jobs.extend(job.list_at("group", "jobs"))
            name = job.str_at("name") or str(number)
            found.append(_lefthook(f"{hook}/{name}", job, path, job.line))
        for name, entry in (node.get("scripts") or EMPTY).entries.items():
            words = (entry.node.str_at("runner") or "sh", f".lefthook/{hook}/{name}")
            command = Command(words, Span(path, entry.line), " ".join(words))
            found.append(Target("lefthook", f"{hook}/{name}", Span(path, entry.line), (command,)))
    return tuple(found)


def _lefthook(name: str, node: Node, path: str, line: int) -> Target:
    skipped = node.str_at("skip") == "true"
    commands = node_commands(node.get("run"), path, folder=node.str_at("root"), errexit=False)
    if skipped:
        commands = ()
    return Target("lefthook", name, Span(path, line), commands, folder=posixpath.dirname(path))


def read_hook_script(data: bytes, path: str) -> tuple[Target, ...]:
    """Read `.husky/pre-commit` or a script of `.githooks/` as one target named by the hook."""
    runner = "husky" if ".husky" in path.split("/") else "githooks"
    name = posixpath.basename(path)
    text = decode(data[: 256 * 1024]) or ""
    # husky runs its hooks with `sh -e`; git runs a hook as the program that it is.
    commands = parse_shell(text, path=path, errexit=runner == "husky")
    return (Target(runner, name, Span(path, 1), commands, default=name in _GIT_HOOKS),)


def read_lint_staged(data: bytes, path: str) -> tuple[Target, ...] | Unreadable:
    """Read lint-staged's globs with their commands (package.json or `.lintstagedrc`)."""
    is_json = path.endswith(".json") or data.lstrip().startswith(b"{")
    root = load_json(data, path) if is_json else load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    table = root.get("lint-staged") if posixpath.basename(path) == "package.json" else root
    found: list[Target] = []
    for glob, entry in (table or EMPTY).entries.items():
        commands = node_commands(entry.node, path)
        target = Target("lint-staged", glob, Span(path, entry.line), commands)
        found.append(replace(target, folder=posixpath.dirname(path)))
    return tuple(found)
