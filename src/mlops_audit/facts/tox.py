"""tox: environments of tox.ini, setup.cfg, tox.toml and pyproject.toml with their commands."""

from __future__ import annotations

import itertools
import posixpath
import re

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Command, Target, Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_tox"]

_MAX_ENVIRONMENTS = 200
_BRACES = regex(r"\{([^{}]*)\}")
_FACTORS = regex(r"([!\w.,{}\-]+)\s*:(?:\s+|$)(.*)")
_IGNORED = regex(r"-(?!-)")
_REFERENCE = regex(r"\{([^{}]*)\}")


class _Setup(Struct, frozen=True):
    """A tox configuration in one shape: the sections by environment, and the environment list."""

    base: Node
    environments: dict[str, Node]
    listed: tuple[str, ...]
    path: str
    ini: Node | None = None


def read_tox(data: bytes, path: str) -> tuple[Target, ...] | Unreadable:
    """Read the environments of a tox configuration.

    Args:
        data: bytes of `tox.ini`, `setup.cfg`, `tox.toml` or `pyproject.toml`.
        path: the file's path; its name decides the format.

    Returns:
        One `Target` an environment, those of the environment list first (`default`); `installs`
        holds its `deps`. Nothing where the file holds no tox configuration.
    """
    name = posixpath.basename(path)
    if not name.endswith(".toml"):
        root = load_ini(data, path)
        return root if isinstance(root, Unreadable) else _targets(_from_ini(root, path, name))
    root = load_toml(data, path)
    if isinstance(root, Unreadable):
        return root
    tool = root if name == "tox.toml" else root.get("tool", "tox")
    if tool is None:
        return ()
    legacy = tool.get("legacy_tox_ini")
    if legacy is not None:
        inner = load_ini(legacy.text, path, legacy.text_line)
        return inner if isinstance(inner, Unreadable) else _targets(_from_ini(inner, path, ""))
    return _targets(_from_toml(tool, path))


def _from_ini(root: Node, path: str, name: str) -> _Setup | None:
    prefix = "tox:" if name == "setup.cfg" else ""
    environments = {
        one: node
        for key, node in root.items()
        if key.startswith("testenv:")
        for one in _expand(key.removeprefix("testenv:"))
    }
    main = root.get(f"{prefix}tox")
    if main is None and not environments and root.get("testenv") is None:
        return None
    listed = ""
    if main is not None:
        listed = main.str_at("envlist") or main.str_at("env_list")
    base = root.get("testenv") or Node("map", 1)
    return _Setup(base, environments, tuple(_expand(listed)), path, root)


def _from_toml(tool: Node, path: str) -> _Setup:
    environments = dict((tool.get("env") or Node("map", 1)).items())
    listed: list[str] = []
    for node in (tool.get("env_list") or Node("list", 1)).many():
        if node.kind == "scalar":
            listed.append(node.text)
        else:
            product = [
                [f.text for f in factor.many()] for factor in (node.get("product") or node).many()
            ]
            listed += ["-".join(p) for p in itertools.islice(itertools.product(*product), 50)]
    base = tool.get("env_run_base") or Node("map", tool.line)
    return _Setup(base, environments, tuple(listed), path)


def _expand(text: str) -> list[str]:
    """`py{38,39}-{a,b}, lint` as names."""
    found: list[str] = []
    pieces: list[str] = []
    depth, current = 0, ""
    for char in text[:5_000] + "\n":
        depth += (char == "{") - (char == "}")
        if depth <= 0 and char in ",\n":
            pieces.append(current.strip())
            current = ""
        else:
            current += char
    for piece in pieces:
        parts = _BRACES.split(piece)
        options = [p.split(",") if k % 2 else [p] for k, p in enumerate(parts)]
        for chosen in itertools.islice(itertools.product(*options), _MAX_ENVIRONMENTS):
            name = "".join(c.strip() for c in chosen)
            if name:
                found.append(name)
    return found[:_MAX_ENVIRONMENTS]


def _targets(setup: _Setup | None) -> tuple[Target, ...]:
    if setup is None:
        return ()
    names = dict.fromkeys((*setup.listed, *setup.environments))
    if not setup.listed and setup.base.get("commands") is not None:
        names = {"py": None, **names}  # what tox runs where nothing is asked for
    default = set(setup.listed) or {"py"}
    found = [_target(setup, name, default) for name in itertools.islice(names, _MAX_ENVIRONMENTS)]
    return tuple(found)


def _target(setup: _Setup, name: str, default: set[str]) -> Target:
    own = setup.environments.get(name)
    folder = posixpath.dirname(setup.path)
    commands: list[Command] = []
    for key in ("commands_pre", "commands", "commands_post"):
        commands += _commands(setup, name, own, key)
    place = own.line if own is not None else setup.base.line
    changed = _setting(setup, own, "changedir") or _setting(setup, own, "change_dir")
    cwd = _filled(changed.text, setup, name).strip("/") if changed is not None else ""
    if cwd and cwd != ".":
        commands = [
            replace(c, cwd=posixpath.normpath(posixpath.join(cwd, c.cwd))) for c in commands
        ]
    ignore = _setting(setup, own, "ignore_outcome")
    description = _setting(setup, own, "description")
    return Target(
        runner="tox",
        name=name,
        span=Span(setup.path, place),
        commands=tuple(commands),
        folder=folder,
        soft=ignore is not None and ignore.text.lower() == "true",
        doc=description.text if description is not None else "",
        default=name in default,
        installs=tuple(text for _, text in _lines(setup, name, own, "deps")),
    )


def _setting(setup: _Setup, own: Node | None, key: str) -> Node | None:
    """A key of the environment, of those it inherits from, or of the base."""
    for _ in range(5):
        if own is None:
            break
        found = own.get(key)
        if found is not None:
            return found
        inherited = own.str_at("base").split(",")[0].strip()
        own = setup.environments.get(inherited.removeprefix("testenv:"))
    return setup.base.get(key)


def _lines(setup: _Setup, name: str, own: Node | None, key: str) -> list[tuple[int, str]]:
    """The lines of a setting that hold for the environment's factors."""
    node = _setting(setup, own, key)
    if node is None:
        return []
    if node.kind == "list":
        return [(n.line, n.text) for n in node.list() if n.kind == "scalar"]
    factors = {*name.split("-"), name}
    found: list[tuple[int, str]] = []
    joined: list[tuple[int, str]] = []
    for number, line in _with_references(setup, node):
        if joined and joined[-1][1].endswith("\\"):
            joined[-1] = (joined[-1][0], joined[-1][1][:-1] + line.strip())
        else:
            joined.append((number, line.rstrip()))
    for number, line in joined:
        text = line.strip()
        conditional = _FACTORS.match(text)
        if conditional and "://" not in text.split(" ")[0]:
            if not _holds(conditional[1], factors):
                continue
            text = conditional[2]
        if text:
            found.append((number, _filled(text, setup, name)))
    return found


def _with_references(setup: _Setup, node: Node, depth: int = 0) -> list[tuple[int, str]]:
    """A setting's lines; `{[section]key}` alone on a line stands for that setting's lines."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(node.text.split("\n"), node.text_line or node.line):
        reference = re.fullmatch(r"\s*\{\[([^\]]+)\]([^{}]+)\}\s*", line)
        other = None
        if reference and setup.ini is not None and depth < 4:  # noqa: PLR2004 -- a bound on chains
            other = setup.ini.get(reference[1], reference[2])
        if other is not None and len(found) < 500:  # noqa: PLR2004 -- a cap
            found.extend(_with_references(setup, other, depth + 1))
        else:
            found.append((number, line))
    return found


def _holds(condition: str, factors: set[str]) -> bool:
    """Whether `py39,lint-!win` holds."""
    for option in _expand(condition):
        terms = option.split("-")
        if option in factors or all(
            (t[1:] not in factors) if t.startswith("!") else (t in factors) for t in terms
        ):
            return True
    return False


def _filled(text: str, setup: _Setup, name: str) -> str:
    """Replace tox's own substitutions; unknown ones stay."""

    def known(found: re.Match[str]) -> str:
        inner = found[1]
        key, _, default = inner.partition(":")
        if key == "posargs":
            return default
        if key in {"toxinidir", "tox_root", "changedir"}:
            return "."
        if key in {"envpython", "env_python"}:
            return "python"
        if key == "envname":
            return name
        if key == "env":
            return default.partition(":")[2] or "$" + default
        section = re.fullmatch(r"\[([^\]]+)\](.+)", inner)
        if section and setup.ini is not None:
            return setup.ini.str_at(section[1], section[2]) or found[0]
        return {"/": "/", ":": ":"}.get(inner, found[0])

    return _REFERENCE.sub(known, _REFERENCE.sub(known, text[:5_000]))


def _commands(setup: _Setup, name: str, own: Node | None, key: str) -> list[Command]:
    node = _setting(setup, own, key)
    if node is not None and node.kind == "list":
        return [c for n in node.list() for c in _listed(setup, name, n)]
    found: list[Command] = []
    for number, text in _lines(setup, name, own, key):
        soft = bool(_IGNORED.match(text))
        commands = parse_shell(text.lstrip("-! \t"), path=setup.path, line=number)
        found.extend(_softened(c) if soft else c for c in commands)
    return found


def _softened(command: Command) -> Command:
    return replace(command, soft=True, why_soft="tox ignores its status (`-`)")


def _listed(setup: _Setup, name: str, node: Node) -> list[Command]:
    """A command of a TOML configuration: a list of words."""
    words: list[str] = []
    for part in node.many():
        if part.kind == "scalar":
            words.append(_filled(part.text, setup, name))
        else:
            words += (part.get("default") or Node("list", 1)).strings()
    soft = bool(words) and words[0] == "-"
    words = words[1:] if words and words[0] in {"-", "!"} else words
    if not words:
        return []
    command = Command(tuple(words), Span(setup.path, node.line), " ".join(words))
    return [_softened(command) if soft else command]
