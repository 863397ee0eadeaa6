"""Which files a project's code writes, as far as the calls themselves say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.graph.settings import settings
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Output", "computed_path", "literal_path", "saves_models", "written", "written_files"]

# Position of the path in calls that write a file; the name's last segment decides.
_WRITERS = {
    "to_csv": 0, "to_parquet": 0, "to_pickle": 0, "to_json": 0, "to_feather": 0, "to_excel": 0,
    "to_hdf": 0, "savetxt": 0, "savez": 0, "savez_compressed": 0, "save_model": 0,
    "save_weights": 0, "save_pretrained": 0, "save_to_disk": 0, "write_parquet": 0,
    "write_csv": 0, "savefig": 0, "save_checkpoint": 0, "to_disk": 0,
}  # fmt: skip
_DUMPS = frozenset({"joblib.dump", "torch.save", "skops.io.dump", "sklearn.externals.joblib.dump"})
_FIRST = frozenset({"numpy.save", "keras.models.save_model", "tensorflow.saved_model.save"})
_MODELS = regex(
    r"(joblib|pickle|skops|torch|cloudpickle|dill)\b.*\b(dump|save)$|"
    r"(save_model|save_weights|save_pretrained|save_checkpoint|saved_model\.save|(?<!_)to_disk)$"
)
_JOIN = regex(r"(?:os\.path\.join|path\.join|join|Path|pathlib\.Path|PurePath)\(")
_QUOTED = regex(r"""\s*[/,(]?\s*(?:str\()?\s*[rRuU]?["']([^"'\n{}]{1,200})["']""")
_FORMATTED = regex(r"""[fF]["']([^"'{\n]{1,200})""")
_ADDED = regex(r"""[rRuU]?["']([^"'\n{}%]{1,200}/)["']\s*\+""")  # 'data/interim/' + name
_FIRST_PART = regex(r"\s*(?:str\()?([A-Za-z_][\w.]{0,80})\)?(?=\s*[,/])")
_ROOT_NAME = regex(r"(^|\.)(ROOT(_\w+)?|\w+_ROOT|(BASE|PROJECT)_(DIR|PATH|FOLDER))$")
_MAKES_PATH = regex(r"^(str|os\.fspath)$|path\.join$|(^|\.)(Pure)?Path(\.joinpath)?$")
_UP = regex(r"\.parent\b|\bdirname\(")
_UPS = regex(r"\.parents\[(\d)\]")
_OPERATOR = regex(r"\s[/+]\s")
_STRING = regex(r"""[rRuU]?["'][^"'\n]{0,200}["']""")
_SUBSCRIPTS = regex(r"""[\w.]{1,80}((?:\[["']\w{1,80}["']\]){1,6})""")
_ATTRIBUTES = regex(
    r"(?:self\.)?_?(?:cfg|config|conf|configs|configuration|settings|params|paths?)"
    r"((?:\.\w{1,80}){1,6})"
)
_KEY = regex(r"\w+")
# Interpolated, an address, or a placeholder.
_NO_PATH = regex(r"\s|[{}$<>]|://|\byour\b|path/to|^\./?$", re.IGNORECASE)
_RUN_FOLDER = regex(r"^((pathlib\.)?Path\.cwd|os\.getcwd)$")
_HOPS = 6  # names that a path is followed through
_MAX_TEXT = 300  # longer texts are cut by the reader


class Output(Struct, frozen=True):
    """A file that a call writes.

    `path` is as written in the code; not `exact` where only its beginning is known. `model` says
    that the call is one that stores models.
    """

    path: str
    exact: bool
    model: bool
    call: Call
    module: Module


def written_files(project: Project) -> Iterator[Output]:
    """The files that code outside tests writes at a path that stands in the code."""
    for module in project.own_code:
        for call in module.calls:
            if call.runs and (value := written(call)) is not None:
                found = literal_path(value, module, call.scope, project)
                if found is not None:
                    yield Output(found[0], found[1], saves_models(call, module), call, module)


def saves_models(call: Call, module: Module) -> bool:
    """Whether a call that writes a file stores a model, or another fitted object."""
    return bool(_MODELS.search(call.name)) or _pickled(call, module)


def written(call: Call) -> Value | None:
    """The argument that names the written file."""
    method = call.method
    if call.name in _DUMPS:
        return call.arg(1, "filename") or call.arg(1, "f")
    if call.name in _FIRST:
        return call.arg(0, "file") or call.arg(0)
    if call.name == "open" or call.name.endswith((".open", ":open")):
        mode = call.arg(1, "mode")
        writes = (
            mode is not None and isinstance(mode.literal, str) and set(mode.literal) & set("wax")
        )
        return call.arg(0, "file") if writes and call.name == "open" else None
    if method in _WRITERS:
        return call.arg(_WRITERS[method])
    if method == "save" and call.args and _is_path(call.args[0]):
        return call.args[0]
    return None


def _is_path(value: Value) -> bool:
    text = value.literal if isinstance(value.literal, str) else value.text
    return "/" in text or bool(re.search(r"\.\w{1,8}[\"']?\)?$", text))


def _pickled(call: Call, module: Module) -> bool:
    """Whether a file opened for writing is handed to a pickler on the next lines."""
    if call.name != "open":
        return False
    line = module.flat(call.span)
    near = module.calls_within((line, line + 3))
    return any(c.name.split(".")[0] in {"pickle", "joblib", "dill", "cloudpickle"} for c in near)


def literal_path(
    value: Value, module: Module, scope: str = "", project: Project | None = None
) -> tuple[str, bool] | None:
    """The path that an expression spells out: the text, and whether all of it is known.

    Args:
        value: the expression.
        module: where it stands.
        scope: the function around it, for names that are set there.
        project: where the constants of other modules are looked up; None looks up none.
    """
    return _spelled(value, _Where(module, scope, project), _HOPS)


def computed_path(
    value: Value, module: Module, scope: str, project: Project
) -> tuple[str, bool] | None:
    """As `literal_path`, also below the folder of the run and at places that settings name."""
    return _spelled(value, _Where(module, scope, project, settings=True), _HOPS)


class _Where(Struct, frozen=True):
    """Where an expression stands, and where its names are looked up."""

    module: Module
    scope: str
    project: Project | None
    settings: bool = False  # whether settings files are asked, too


def _spelled(value: Value, at: _Where, hops: int) -> tuple[str, bool] | None:
    if isinstance(value.literal, str):
        return (value.literal, True) if value.literal.strip() else None
    if hops <= 0:
        return None  # names that are set by each other
    module, scope = at.module, at.scope
    if "__file__" in value.text and not _OPERATOR.search(value.text):
        return _home(value.text, module.path)
    if (value.name.startswith(":") or value.text.isidentifier()) and not value.is_call:
        constant = module.constants.get(value.text) or _local(value.text, module, scope)
        if constant is not None and constant is not value and not constant.name.startswith(":"):
            return _spelled(constant, at, hops - 1)
        given = None
        if not _changed(value.text, module, scope):  # a caller may hand over another
            given = _default(value.text, module, scope)
        return (given, False) if given else _elsewhere(value, at, hops) or _set(value, at)
    text = value.text
    if formatted := _FORMATTED.match(text):
        return formatted[1], False
    found = None
    if joined := _JOIN.match(text):
        rest = text[joined.end() :]
        cut = len(text) >= _MAX_TEXT
        if first := _FIRST_PART.match(rest):
            found = _below(first[1], rest[first.end() :], module, scope, cut=cut)
        else:
            found = _joined(rest, cut=cut)
    elif added := _ADDED.match(text):
        found = added[1], False
    return found or _made(value, at, hops) or _elsewhere(value, at, hops) or _set(value, at)


def _home(text: str, path: str) -> tuple[str, bool] | None:
    """The folder that a module finds from its own place: `Path(__file__).parent.parent`.

    `.` is the folder that is audited. None where other parts are joined to the place, or where the
    way leads out of that folder.
    """
    if _STRING.search(text):
        return None
    up = len(_UP.findall(text)) + sum(int(m[1]) + 1 for m in _UPS.finditer(text))
    folders = path.split("/")
    if not 0 < up <= len(folders):
        return None
    return "/".join(folders[:-up]) or ".", True


def _set(value: Value, at: _Where) -> tuple[str, bool] | None:
    """The path that stands in a settings file under the keys of `config["a"]["b"]`, `cfg.a.b`.

    None where no file holds one, or two of them hold different ones.
    """
    if not at.settings or at.project is None or value.is_call:
        return None
    keys = _SUBSCRIPTS.fullmatch(value.text) or _ATTRIBUTES.fullmatch(value.text)
    if keys is None:
        return None
    wanted = ".".join(_KEY.findall(keys[1]))
    found = {
        s.value
        for s in settings(at.project)
        if isinstance(s.value, str) and (s.key == wanted or s.key.endswith(f".{wanted}"))
    }
    path = found.pop() if len(found) == 1 else ""
    return (path, True) if path.strip() and not _NO_PATH.search(path) else None


def _elsewhere(value: Value, at: _Where, hops: int) -> tuple[str, bool] | None:
    """A constant that a module or class of the project holds (`PATHS.MODELS`, `cfg.MODEL_PATH`)."""
    parent, _, last = value.name.rpartition(".")
    if at.project is None or value.is_call or not parent.strip("."):
        return None
    symbol = at.project.index.resolve(parent, at.module.path)
    other = at.project.modules.get(symbol.path) if symbol is not None else None
    constant = other.constants.get(last) if other is not None else None
    if other is None or constant is None:
        return None
    return _spelled(constant, _Where(other, "", at.project), hops - 1)


def _made(value: Value, at: _Where, hops: int) -> tuple[str, bool] | None:
    """A path that is put together from parts, of which the first is known."""
    parts = value.items
    if value.is_call:
        if not _MAKES_PATH.search(value.name) or not parts:
            return None
    elif len(parts) < 2 or value.text[:1] in "([{" or not _OPERATOR.search(value.text):  # noqa: PLR2004 -- two operands
        return None
    if at.settings and len(parts) > 1 and parts[0].is_call and _RUN_FOLDER.search(parts[0].name):
        parts = parts[1:]
    first = _spelled(parts[0], at, hops - 1)
    if first is None:
        return None
    path, exact = first
    added = not value.is_call and "/" not in _STRING.sub("", value.text)
    for part in parts[1:]:
        said = _plain(part)
        if not exact or said is None:
            return path, False
        path = f"{path}{said}" if added else f"{path.rstrip('/')}/{said.strip('/')}"
    return path, exact


def _plain(part: Value) -> str | None:
    """The text of a literal, also of one that is marked as formatted and holds nothing to fill."""
    if isinstance(part.literal, str):
        return part.literal
    said = _FORMATTED.fullmatch(part.text[:-1])
    return said[1] if said is not None and part.text[-1:] in "\"'" else None


def _local(name: str, module: Module, scope: str) -> Value | None:
    """What a function sets a name to, if it does so once and not to itself."""
    given = [a for a in module.assigns if scope and a.scope == scope and name in a.targets]
    if (
        len(given) != 1
        or given[0].augmented
        or re.search(rf"(?<![\w.]){re.escape(name)}\b", given[0].value.text)
    ):
        return None
    return given[0].value


def _changed(name: str, module: Module, scope: str) -> bool:
    """Whether a function puts something before the path that it is given."""
    own = module.assigns_by_scope.get(scope, ()) if scope else ()
    return any(
        name in a.targets and a.value.is_call and [i.text for i in a.value.items[:1]] != [name]
        for a in own
    )


def _below(
    folder: str, rest: str, module: Module, scope: str, *, cut: bool
) -> tuple[str, bool] | None:
    """A path below a folder that has a name: the project's root, or one with a default."""
    base = "" if _ROOT_NAME.search(folder) else _default(folder, module, scope)
    found = _joined(rest, cut=cut) if base is not None else None
    if found is None or not base:
        return found
    return f"{base.rstrip('/')}/{found[0]}", found[1]


def _default(name: str, module: Module, scope: str) -> str | None:
    """What a parameter, an option or a setting of this module is when nobody sets another."""
    last = name.rsplit(".", 1)[-1]
    function = module.function(scope) if scope else None
    values = [p.default for p in function.params if p.name == name] if function else []
    if not values and "." in name:
        values = [a.value for a in module.assigns if any(t.endswith(f".{last}") for t in a.targets)]
        values += [
            call.kw("default")
            for call in module.calls
            if call.method == "add_argument"
            and any(str(v.literal).lstrip("-").replace("-", "_") == last for v in call.args)
        ]
    given = values[0].literal if len(values) == 1 and values[0] is not None else None
    return given if isinstance(given, str) and given.strip() else None


def _joined(text: str, *, cut: bool) -> tuple[str, bool] | None:
    """The leading literal segments of a joined path."""
    parts: list[str] = []
    at = 0
    while found := _QUOTED.match(text, at):
        parts.append(found[1].strip("/") if parts else found[1].rstrip("/"))
        at = found.end()
        while at < len(text) and text[at] in ") ":
            at += 1
    if all(part.strip("./") == "" for part in parts):
        return None  # nothing, or `..`: what follows it decides
    return "/".join(parts), at >= len(text) and not cut
