"""Whether what is kept of a prediction holds the input that it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.graph.magefiles import mage_pipelines
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "FILES",
    "META_KEY",
    "PLACE",
    "PREDICTED",
    "USED",
    "callers",
    "given_to",
    "handed_record",
    "holds_inputs",
    "inside",
    "joined_before",
    "keys_of",
    "merged",
]

USED = frozenset({"service", "stream", "batch", "command", "demo", "function"})
FILES = frozenset(
    ["to_csv", "to_parquet", "to_json", "to_excel", "to_feather", "to_pickle", "savetxt", "save",
     "writerow", "writerows", "write", "write_csv", "write_parquet", "write_text", "dump",
     "upload_blob", "upload_file", "upload_fileobj", "upload_from_string", "upload_from_filename",
     "put_object", "write_blob_to", "to_sql", "to_gbq", "parquet", "csv", "write_table", "to_delta"]
)  # fmt: skip
PREDICTED = regex(
    r"pred|infer|forecast|\bscor(e|es|ed|ing)\b|_scor(e|ed|ing)|scorefile|\by_?hat\b|probab|"
    r"classification|\boutputs?\b|answer|recommend|completion|generated|sentiment|\bresults?\b",
    re.IGNORECASE,
)
_INPUT = regex(
    r"(^|[^a-z])(inputs?|features?|request|payload|record|question|query|prompt|text|data|df|x|rows?|"
    r"sample|body|item|message|ride|document|instance|batch|filename|image(_path|_url)?|user_input)"
    r"([^a-z]|$)",
    re.IGNORECASE,
)
_PLAINLY = regex(r"(^|_)(features?|inputs?|request|payload|question|query|prompt)(_|$)")
_TOOLS = frozenset({"self", "cls", "config", "settings", "logger", "model", "client", "session"})
META_KEY = regex(
    r"pred|scor|prob|label|class|time|date|version|id$|model|result|output|confidence|status|latency|"
    r"(^|[\W_])(real|actual|true|truth|target)([\W_]|$)",
    re.IGNORECASE,
)
_JOINS = regex(
    r"(?<!path)(?<![\"'])\.join\(|concat\(|merge\(|\.assign\(|hstack\(|column_stack\(|\*\*\w+|"
    r"\.score_batch\(|\.withColumn\(\s*[\"']\w*(pred|score|forecast)"
)
_COLUMNS = regex(r"INSERT\s+INTO\s+[\w.\"`{}]{1,80}\s*\(([^)]{1,2000})\)", re.IGNORECASE)
PLACE = regex(r"dir|folder|path|file|root|output|dest|location|uri|prefix", re.IGNORECASE)


def given_to(call: Call) -> Iterator[Value]:
    """The values that a call is given, by place or keyword."""
    yield from call.args
    yield from (v for _, v in call.kwargs)


def callers(module: Module, name: str) -> Iterator[str]:
    """What a function's callers in the module hand over, and where that comes from."""
    for call in module.calls:
        if call.method != name:
            continue
        for value in given_to(call):
            yield value.text
            yield from (o.text[:160] for o in module.calls if value.text in o.targets)


def handed_record(project: Project, module: Module, call: Call) -> tuple[str, ...]:
    """The keys of the record with a prediction that callers hand to a function to be stored."""
    function = module.function(call.scope)
    if function is None:
        return ()
    words = {w for v in given_to(call) for w in re.findall(r"\w+", v.text[:200])}
    own = [p.name for p in function.params if p.name not in {"self", "cls"}]
    wanted = [(n, name) for n, name in enumerate(own) if name in words and not PLACE.search(name)]
    near = ((m, c) for m in project.source for c in m.calls if c.method == function.name)
    for other, caller in near if wanted else ():
        targets = project.index.targets(caller, other.path)
        if not any((s.path, s.qualname) == (module.path, call.scope) for s in targets):
            continue
        for value in filter(None, (caller.arg(n, name) for n, name in wanted)):
            made = [
                a.value
                for a in other.assigns_by_scope.get(caller.scope, ())
                if value.text in a.targets
            ]
            for keys in map(keys_of, (value, *made)):
                if any(PREDICTED.search(k) for k in keys):
                    return tuple(keys)
    return ()


def merged(module: Module, call: Call) -> bool:
    """Whether what is written was merged with what was there before."""
    if not call.scope:
        return False
    own = {s for v in given_to(call) for s in _strings(v)}
    for other in module.calls_in(call.scope):
        if other is call or not re.search(r"^(read|load|get|download|open)", other.method):
            continue
        shared = own & {s for v in given_to(other) for s in _strings(v)}
        if shared:
            return any(
                c.method in {"merge", "concat", "append", "update", "combine_first", "extend"}
                for c in module.calls_in(call.scope)
            )
    return False


def _strings(value: Value) -> tuple[str, ...]:
    found = tuple(s for s in value.strings() if len(s) > 3)  # noqa: PLR2004 -- a file's name
    return found or tuple(re.findall(r"f[\"']([^\"'{}]{4,80})[\"']", value.text))


def holds_inputs(module: Module, call: Call, around: str) -> bool:
    """Whether the inputs are kept too: a frame that predictions were added to, or a record."""
    if _JOINS.search(around):
        return True
    if _joined(module):
        return True
    for assign in module.assigns:
        if assign.scope == call.scope and _record(keys_of(assign.value)):
            return True
    for value in given_to(call):
        columns = _COLUMNS.search(value.text)
        if columns and _record(columns[1].split(",")):
            return True
        if any(_record(keys_of(inner)) for inner in inside(value)):
            return True
    function = module.function(call.scope)
    params = [p.name for p in function.params] if function else []
    given_in = [p for p in params if _INPUT.search(p) and not re.search(r"image|img|audio", p)]
    if given_in and any(PREDICTED.search(p) for p in params):
        return True
    told = {p for p in given_in if _PLAINLY.search(p)}
    others = [p for p in params if p not in told and not PLACE.search(p) and p not in _TOOLS]
    if told and others:  # `log(features, error, is_fraud)`: what was asked, and what came of it
        return True
    own = call.text[:400]
    given = [v.text for v in (*call.args, *(v for _, v in call.kwargs))]
    return (
        bool(PREDICTED.search(own))
        and any(_INPUT.search(g) and not PREDICTED.search(g) and "path" not in g for g in given[:4])
        and call.method not in FILES
    )


def _joined(module: Module) -> bool:
    """Whether predictions become a column of the frame that holds the inputs."""
    for assign in module.assigns:
        for target in assign.targets:
            frame, _, column = target.partition("[")
            told = PREDICTED.search(column) and not re.search(r"path|dir|file|url", column)
            if told and not _made_of_predictions(module, frame, assign.scope):
                return True
    return False


def joined_before(project: Project, module: Module) -> bool:
    """Whether what predicts hands its frame, predictions and all, to what stores it later."""
    paths = {p.path for p in project.predictions if p.kind in USED}
    if module.path in paths:
        return False
    blocks = (block.path for pipeline in mage_pipelines(project) for block in pipeline.blocks)
    if any(path in paths and _joined(project.modules[path]) for path in blocks):
        return True
    stems = [p.removesuffix(".py") for p in paths if p in project.modules]
    before = [project.modules[f"{stem}.py"] for stem in stems if module.path.startswith(stem)]
    return any(_joined(m) or any(_JOINS.search(c.text[:160]) for c in m.calls) for m in before)


def inside(value: Value) -> Iterator[Value]:
    """A value and its parts: `json.dumps({...}) + newline` holds a record."""
    yield value
    for part in value.items:
        yield from inside(part)


def keys_of(value: Value) -> list[str]:
    """The keys of a dict, or the keywords of a call."""
    return [k.strip("\"'") for k in (*value.keys, *(k for k, _ in value.kwargs))]


def _record(keys: list[str]) -> bool:
    """Whether a dictionary holds a prediction and something that is no metadata of it."""
    return any(PREDICTED.search(k) for k in keys) and any(not META_KEY.search(k) for k in keys)


def _made_of_predictions(module: Module, frame: str, scope: str) -> bool:
    """Whether a frame was built for the predictions alone."""
    for assign in module.assigns:
        if frame in assign.targets and assign.scope == scope and "DataFrame(" in assign.value.text:
            inside = assign.value.text.split("DataFrame(", 1)[1]
            return not _INPUT.search(inside.replace("columns", ""))
    return False
