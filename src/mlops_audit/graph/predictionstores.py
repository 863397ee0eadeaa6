"""Where predictions are kept, with which inputs, time and version, and if batches overwrite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.magefiles import blocks_after, mage_pipelines
from mlops_audit.graph.memo import once
from mlops_audit.graph.scopes import Scope, calls_of, scopes
from mlops_audit.model import Evidence

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

from mlops_audit.graph.storedinputs import (
    FILES,
    META_KEY,
    PLACE,
    PREDICTED,
    USED,
    callers,
    given_to,
    handed_record,
    holds_inputs,
    inside,
    joined_before,
    keys_of,
    merged,
)
from mlops_audit.regex import regex

__all__ = ["Stored", "prediction_stores"]

_ADDS = frozenset(
    ["insert_one", "insert_many", "insert_rows", "insert_rows_json", "insert", "put_item",
     "put_record", "put_records", "execute", "executemany", "execute_values", "add_all",
     "append_row", "append_rows", "produce", "index_document", "bulk", "upsert", "xadd", "lpush",
     "rpush", "create", "saveAsTable", "log_prediction", "log_inference", "add", "publish",
     "append_table", "load_table_from_dataframe", "load_table_from_json", "add_rows",
     "send_message", "replace_one", "write_points", "emit"]
)  # fmt: skip
_NAMED = regex(
    r"(^|_)(save|store|log|track|record|write|insert|append|persist|upload|capture|export|put)_\w{0,30}"
    r"(pred|result|inference|score|request|response|forecast|monitor|feedback|history)",
    re.IGNORECASE,
)
_BEAM = regex(r"^WriteTo[A-Z]\w+$")
# A place that callers name after what it holds.
_PREDICTIONS = regex(r"predictions|forecasts|inferences", re.IGNORECASE)
_PLACED = regex(r"[\"'/](\w{1,30}_)?(predict|inference|forecast)\w{0,30}", re.IGNORECASE)
_OTHER = regex(
    r"metric|accuracy|confusion|\.png|\.jpe?g|\.svg|\bfig\b|plot|checkpoint|weights|model_dir|"
    r"model\.(pkl|pt|joblib|h5|keras)|config(?![\[(])|tokenizer|vocab|scaler|encoder|"
    r"\.html|sys\.std|stdout|stderr|feature_importance|state_dict|test_pred|val_pred|train_pred|"
    r"submission|(^|[/\"'_.(])schemas?([_.(]|$)",
    re.IGNORECASE,
)
_ADDED_TEXT = regex(r"INSERT\s+INTO|\bMERGE\s+INTO|\binsert\(\s*\w", re.IGNORECASE)
_WHEN = regex(
    r"(^|[^a-z])(date(time)?|time(stamp)?|created(_at)?|utcnow|now|today|year|month|day|hour|"
    r"run_id|version|model_(version|id|name|uri)|strftime|isoformat|scored_time)([^a-z]|$)|"
    r"%Y|timestamp|datetime",
    re.IGNORECASE,
)
_VALUE = regex(
    r"^([A-Za-z]\w{0,20}_)?(predictions?|predicted|preds?|y_hat|y_pred)"
    r"(?!_?(path|file|dir|folder|url|name|model|cfg|conf|setting|param))(_\w{1,12})?(?!\w)"
)
_SET = regex(r"^(cfg|config|conf|settings?|params?|opts?|options?|args?|hparams?)[_.]")
_PREDICTS = regex(r"(^|[._])predict(_proba)?(\.(async_)?run)?$")
_SCREEN = regex(r"^st\b|vid|video|image|img|keras|model|buffer|response", re.IGNORECASE)
_HOLE = regex(r"\bf[\"'][^\"']{0,200}\{|\.format\(")  # a path that is filled in
_BUFFER = regex(r"\b(StringIO|BytesIO)\b")
_LOGS = frozenset({"info", "debug", "warning", "print"})


class Stored(Struct, frozen=True):
    """One place that keeps predictions.

    `lasting` is False where each batch overwrites the last; `inputs` says that the inputs are kept
    with them, `dated` that a time, run or model version is; `text` that it is a log line.
    """

    evidence: Evidence
    lasting: bool
    inputs: bool
    dated: bool
    text: bool = False


@once
def prediction_stores(project: Project) -> tuple[Stored, ...]:
    """The places in code that predicts for use which keep predictions, the fullest first."""
    found: dict[Evidence, Stored] = {}
    for module, call in _calls(project):
        stored = _stored(project, module, call)
        if stored is not None:
            found.setdefault(stored.evidence, stored)
    return tuple(
        sorted(
            found.values(),
            key=lambda s: (s.text, not s.lasting, -(s.inputs + s.dated), str(s.evidence.span)),
        )
    )


def _calls(project: Project) -> Iterator[tuple[Module, Call]]:
    used = [p for p in project.predictions if p.kind in USED and not project.is_example(p.path)]
    for item in used:
        module = project.modules.get(item.path)
        if module is None or item.path in project.test_files:
            continue
        if item.scope and item.kind in {"function", "command"}:
            roots = [Scope(item.path, item.scope)]
        else:
            roots = [Scope(item.path), *(Scope(item.path, f.qualname) for f in module.functions)]
        yield from calls_of(project, scopes(project, roots, imports=not item.scope))
    if used:
        yield from calls_of(project, _beside(project, frozenset(p.path for p in used)))
        yield from calls_of(project, scopes(project, _consumers(project)))


def _consumers(project: Project) -> Iterator[Scope]:
    """What is called with the messages of a queue that a program of the project fills."""
    filled: set[object] = set()
    for module in project.source:
        for call in module.calls:
            key = call.arg(1, "routing_key") if call.method == "basic_publish" else None
            if key is not None and key.is_literal:
                filled.add(key.literal)
    for module in project.source if filled else ():
        for call in module.calls:
            if call.method != "basic_consume":
                continue
            queue, callback = call.arg(0, "queue"), call.arg(1, "on_message_callback")
            if queue is None or callback is None or queue.literal not in filled:
                continue
            symbol = project.index.resolve(callback.name, module.path)
            if symbol is not None and symbol.kind == "function":
                yield Scope(symbol.path, symbol.qualname)


def _beside(project: Project, paths: frozenset[str]) -> Iterator[Scope]:
    """What takes the scoring code's output away: `..._copyoutput.py`, later blocks of Mage."""
    for pipeline in mage_pipelines(project):
        for block in pipeline.blocks:
            for later in blocks_after(pipeline, block) if block.path in paths else ():
                module = project.modules[later.path]
                roots = [Scope(later.path, f.qualname) for f in module.functions]
                yield from scopes(project, roots)
    stems = {p.rsplit("/", 1)[-1].removesuffix(".py"): p.rpartition("/")[0] for p in paths}
    for path, module in project.modules.items():
        folder, _, name = path.rpartition("/")
        if any(folder == f and name.startswith(s) and name != f"{s}.py" for s, f in stems.items()):
            yield Scope(path)
            yield from (Scope(path, f.qualname) for f in module.functions)


# -- one call -------------------------------------------------------------------------------------


def _stored(project: Project, module: Module, call: Call) -> Stored | None:
    if call.method in _LOGS:
        return _logged(module, call)
    if call.method in {"field", "write_points"}:
        return _point(project, module, call) if call.method == "field" else _points(module, call)
    if call.method in {"write", "save"} and _SCREEN.search(call.receiver):
        return None
    if call.method in FILES and not call.args and not call.kwargs:
        return None
    if call.method == "save" and not PREDICTED.search(call.text[:300]):
        return None
    named = bool(_NAMED.search(call.method)) and not project.index.targets(call, module.path)
    beam = bool(_BEAM.match(call.method))
    document = _is_document(module, call)
    if call.method not in _ADDS | FILES and not (named or beam or document):
        return None
    around = _around(module, call)
    if not beam and _OTHER.search(call.text[:300]):
        return None
    handed = _handed_in(project, module, call)
    record = handed_record(project, module, call)
    if not (beam or record or _predicted(module, call) or _PREDICTIONS.search(handed)):
        return None
    adds = beam or named or document or _adds(module, call, around)
    path = f"{_where(module, call)} {handed}"
    dated_path = bool(_WHEN.search(path)) or bool(_HOLE.search(path))
    if call.method in _ADDS and not (adds or beam):
        return None
    if _BUFFER.search(path) or (call.method == "publish" and not call.args):
        return None
    lasting = adds or dated_path or merged(module, call)
    if not lasting and call.method not in FILES:
        return None
    dated = dated_path or call.method == "emit" or bool(_WHEN.search(around))
    dated = dated or any(_WHEN.search(key) for key in record)
    inputs = holds_inputs(module, call, around) or joined_before(project, module)
    inputs = inputs or any(not META_KEY.search(key) for key in record)
    return Stored(Evidence(call.span, call.told), lasting, inputs, dated)


def _is_document(module: Module, call: Call) -> bool:
    """Whether a call stores a document in Firestore: `collection.add(row)`, `document.set(row)`."""
    return call.method in {"add", "set"} and any("firestore" in i.dotted for i in module.imports)


def _point(project: Project, module: Module, call: Call) -> Stored | None:
    """A field of a point that a time-series database keeps, with the time by itself."""
    names = [str(v.literal) for v in call.args[:1] if isinstance(v.literal, str)]
    if not names or not PREDICTED.search(names[0]):
        return None
    if not any(m.roots & {"influxdb_client", "influxdb"} for m in project.source):
        return None
    others = [
        str(c.args[0].literal)
        for c in module.calls_in(call.scope)
        if c.method == "field" and c.args and isinstance(c.args[0].literal, str)
    ]
    inputs = any(not META_KEY.search(n) and not PREDICTED.search(n) for n in others)
    evidence = Evidence(call.span, f"field {names[0]} of a point in a time-series database")
    return Stored(evidence, lasting=True, inputs=inputs, dated=True)


def _points(module: Module, call: Call) -> Stored | None:
    """Points as dictionaries, which the first client of the time-series database takes."""
    given = call.arg(0, "points")
    if given is None or not _predicted(module, call):
        return None
    made = [a.value for a in module.assigns if a.scope == call.scope and given.text in a.targets]
    fields = [
        key
        for value in (given, *made)
        for inner in inside(value)
        if (held := inner.get("fields")) is not None
        for key in keys_of(held)
    ]
    inputs = sum(not META_KEY.search(k) for k in fields) > 1  # one of them is what was predicted
    return Stored(Evidence(call.span, call.told), lasting=True, inputs=inputs, dated=True)


def _logged(module: Module, call: Call) -> Stored | None:
    if call.method == "print" or not re.search(r"log", call.receiver, re.IGNORECASE):
        return None
    # A value that was predicted, not a message about predicting.
    shown = [v.text for v in (*call.args, *(v for _, v in call.kwargs))]
    holes = [h for text in shown for h in re.findall(r"\{([^{}]{1,80})\}", text)]
    holes += [t for t in shown[1:] if t]
    holes += [t for t in shown[:1] if t.isidentifier()]
    made = {
        target
        for other in module.calls_in(call.scope)
        if _PREDICTS.search(other.text.split("(", 1)[0])
        for target in other.targets
    }
    if not any(h in made or (_VALUE.search(h) and not _SET.search(h)) for h in holes):
        return None
    written = Evidence(call.span, call.text)
    return Stored(written, lasting=True, inputs=False, dated=False, text=True)


def _around(module: Module, call: Call) -> str:
    """The text of what the call's function does: names, keys, assignments and strings."""
    function = module.function(call.scope)
    words = [call.scope, call.receiver]
    if function is not None:
        words += [p.name for p in function.params]
    for assign in module.assigns:
        if assign.scope == call.scope and (call.scope or _near(module, call, assign.span.line)):
            words += [*assign.targets, assign.value.text[:200], *assign.value.keys]
    for other in module.calls_in(call.scope) if call.scope else ():
        words.append(other.text[:160])
    words.append(call.text[:300])
    return "\n".join(words)


def _near(module: Module, call: Call, line: int | None) -> bool:
    return line is not None and abs(module.flat(call.span) - line) < 40  # noqa: PLR2004 -- a screen


def _predicted(module: Module, call: Call) -> bool:
    own = f"{call.text[:300]} {call.scope} {call.receiver}"
    if PREDICTED.search(own):
        return True
    handed = [v.text for v in (*call.args, *(v for _, v in call.kwargs))] + [call.receiver]
    for assign in module.assigns:
        if not any(t.split("[")[0] in handed for t in assign.targets):
            continue
        # A constant of the module is the place: what it is called there says what it holds.
        if not assign.scope and call.scope and _PLACED.search(assign.value.text[:200]):
            return True
        if assign.scope != call.scope:
            continue
        told = [*assign.targets, *assign.value.keys, assign.value.text[:200]]
        if PREDICTED.search(" ".join(told)):
            return True
    name = module.path.rsplit("/", 1)[-1]
    return bool(
        re.search(r"pred|scor|infer|forecast", name)
        and re.search(r"output|result|data|df|record", own, re.IGNORECASE)
        and re.search(r"to_(csv|parquet|sql|gbq|json)|upload|write_|put", own)
        and not re.search(r"download|extract|read", call.scope)
    )


def _adds(module: Module, call: Call, around: str) -> bool:
    """Whether a call adds to what is there."""
    method, text = call.method, call.text[:400]
    if method in {"execute", "executemany", "execute_values"}:
        return bool(_ADDED_TEXT.search(around))
    if method == "emit":  # an event of Fluentd, which stamps it with the time
        return "fluent" in module.roots
    if method in {"add", "create"}:
        return bool(re.search(r"session|\bdb\b|objects", call.receiver, re.IGNORECASE))
    if method in {"insert", "append_row", "index_document", "bulk", "publish", "upsert"}:
        return not re.fullmatch(r"\w{0,20}(list|s|path)", call.receiver) and "sys.path" not in text
    if method == "saveAsTable":
        function = module.function(call.scope)
        defaults = [
            str(p.default.literal)
            for p in (function.params if function else ())
            if p.default is not None and f".mode({p.name})" in text
        ]
        kept = "replaceWhere" in text or "partitionBy" in text
        return kept or "overwrite" not in " ".join([text, *defaults])
    if method in _ADDS:
        return True
    if method in {"to_sql", "to_gbq"}:
        return "append" in text
    if method in {"to_csv", "to_json"}:
        mode = call.kw("mode")
        return mode is not None and str(mode.literal).startswith("a")
    if method in {"write", "writerow", "writerows", "dump", "write_text", "save", "parquet", "csv"}:
        opened = (
            [c for c in module.calls_in(call.scope) if c.method == "open"] if call.scope else []
        )
        if any(v.literal in {"a", "a+", "at", "ab"} for c in opened for v in given_to(c)):
            return True
        return bool(re.search(r"mode\(?['\"=]{1,2}append", text))
    return False


def _where(module: Module, call: Call) -> str:
    """The text of the path or key that is written to, its variables followed once."""
    handed = list(call.args[:2]) + [
        v for k, v in call.kwargs if k in {"path", "key", "Key", "blob_name", "name", "path_or_buf",
                                           "filename", "file", "fname"}
    ]  # fmt: skip
    found = [v.text for v in handed]
    names = {v.text for v in handed} | {call.receiver}
    for assign in module.assigns:
        if assign.scope == call.scope and names & set(assign.targets):
            found.append(assign.value.text)
            names |= set(re.findall(r"\w+", assign.value.text))
    for other in module.calls:
        if other.scope == call.scope and (names & set(other.targets) or other.method == "open"):
            found.append(other.text[:200])
            names |= set(re.findall(r"\w+", other.text[:200]))
    found += [
        a.value.text for a in module.assigns if a.scope == call.scope and names & set(a.targets)
    ]
    function = module.function(call.scope)
    if function is not None and any(v.name and v.text in names for v in handed):
        found += callers(module, function.name)
    return " ".join(t for t in dict.fromkeys(found) if not re.match(r"(pd\.|\w*df\b|model)", t))


def _handed_in(project: Project, module: Module, call: Call) -> str:
    """What callers in other modules give for the parameters that the path is made of."""
    function = module.function(call.scope)
    if function is None:
        return ""
    words = {w for v in given_to(call) for w in re.findall(r"\w+", v.text)}
    wanted = {
        p.name: n for n, p in enumerate(function.params) if p.name in words and PLACE.search(p.name)
    }
    found: list[str] = []
    for other in project.source if wanted else ():
        for near in other.calls if other.path != module.path else ():
            if not any(
                s.path == module.path and s.qualname == call.scope
                for s in project.index.targets(near, other.path)
            ):
                continue
            for name, position in wanted.items():
                value = near.arg(position, name)
                if value is not None:
                    found.append(value.text)
                    found += [a.value.text for a in other.assigns if value.text in a.targets]
    return " ".join(found)
