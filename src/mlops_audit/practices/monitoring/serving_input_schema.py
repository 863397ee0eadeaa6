"""MON11: the entry point that is deployed checks its input and refuses bad input."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Class, Function, Module, Param
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.hintedmodels import hinted_models
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.sightings import sightings
from mlops_audit.graph.sourcelines import declared_span
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._presence import (
    bounds_a_value,
    decoders,
    described_inputs,
    presence,
    refuses_client,
)
from mlops_audit.practices.monitoring._roles import nothing_served
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a schema with ranges, categories or formats at the entry point that is deployed, by which bad "
    "input is refused"
)
_STRICT = regex(
    r"\b(gt|ge|lt|le|min_length|max_length|pattern|regex|multiple_of|min_items|max_items)\s*=|"
    r"\bcon(float|int|str|list|date|decimal)\b|\bPositive\w+|\bNonNegative\w+|EmailStr|HttpUrl|"
    r"AnyUrl|\bUUID\b|\bAfterValidator|\bBeforeValidator|annotated_types|\bdatetime\b|\bdate\b"
)
_LITERAL = regex(r"\bLiteral\[")
_VALIDATOR = regex(r"(field_|model_|root_)?validator$")
_MODEL_BASES = regex(r"(^|\.)(BaseModel|SQLModel|Schema|Serializer|RootModel|GenericModel)$")
_PLAIN = regex(r"\b(int|float|str|bool|list|List|dict|Dict|UploadFile|Optional|bytes)\b")
_REFUSES = regex(r"HTTPException|BadRequest|abort|ValidationError|ValueError|status.HTTP_4")
_PRESENT = regex(r"\bnot\b|is None|not in|len\(|isinstance")
_CLIENT_ERROR = regex(
    r"\breturn\b[^\n]{0,200}(,\s*|status(_code)?\s*=\s*|HTTP_)(400|413|415|422)\b|"
    r"\babort\(\s*(400|413|415|422)\b|"
    r"\breturn\b\s*\(?\s*(\w*jsonify|\w*JSONResponse|json\.dumps)?\s*\(?\s*\{\s*[\"']error[\"']\s*:"
)
_EMPTY = regex(r"not \w+|\w+ is None|not len\(\w+\)|len\(\w+\) ?(==|<|<=) ?[01]")
_SHORT_BODY = 5  # lines in which a refusal answers
_REQUEST = regex(
    r"request|data|payload|body|input|json|form|features?|file|text|query|event", re.IGNORECASE
)
_ENFORCING = frozenset({"fastapi", "pydantic", "flask_pydantic", "flask_openapi3", "apiflask"})
_BOUNDS = frozenset({"min_value", "max_value", "minimum", "maximum", "options", "choices"})
_VALIDATES = frozenset({"model_validate", "validate_python", "parse_obj"})
_HANDLERS = frozenset({"run", "lambda_handler", "handler", "input_fn", "predict", "decode_request",
                       "post"})  # fmt: skip
_PREDICTS = frozenset({"predict.call", "model.load", "registry.load", "trace.llm"})
_ASKED = regex(
    r"predict|infer|scor(e|ing)|forecast|classif|recommend|detect|generat|answer|chat|query|invo|"
    r"transcri|translat|summar|embed|segment|price|estimate",
    re.IGNORECASE,
)
_WIDGETS = frozenset({"number_input", "slider", "selectbox", "radio", "Slider", "Dropdown", "Radio",
                      "multiselect", "select_slider"})  # fmt: skip


@practice(
    id="MON11",
    title="The deployed entry point refuses bad input",
    assets="data",
    level="3s",
    sources="S1 S2 S4",
    fix="Give each field of the request's schema its range, categories or format.",
    needs=("prediction",),
    template=("src/<package>/serving/schema.py",),
)
def serving_input_schema(project: Project) -> Verdict:
    """Schemas of routes, checks by hand, and schemas that a batch job applies to its input."""
    if verdict := nothing_served(project):
        return verdict
    strict: list[Evidence] = []
    plain: list[Evidence] = []
    mistaken: list[Evidence] = []
    entries = list(_entries(project))
    # What signs people in or lists things takes input too, and asks the model nothing.
    asking = [e for e in entries if _asks(project, *e)]
    for module, function in asking or entries:
        for full, evidence in _checked(project, module, function):
            (strict if full == "strict" else plain if full == "plain" else mistaken).append(
                evidence
            )
    strict += _applied(project)
    if strict:
        return passed("Bad input is refused by ranges, categories or formats.", strict)
    plain += [
        s.evidence for s in sightings(project, "input.schema") if not s.notebook and not s.kind
    ]
    plain += [*_signatures(project), *_widgets(project)]
    if plain:
        return partial("Input is checked for names and types only.", [*plain, *mistaken])
    if mistaken:
        return hollow("A default is taken for a check.", mistaken, looked_for=_LOOKED_FOR)
    return failed("The entry point takes any input.", looked_for=_LOOKED_FOR)


def _entries(project: Project) -> Iterator[tuple[Module, Function]]:
    """The functions behind routes that take input, and handlers of a platform."""
    seen: set[Span] = set()
    for use in project.uses("serve.route", test=False, notebook=False):
        module = project.modules.get(use.path)
        if use.call is None or module is None or project.is_example(use.path):
            continue
        function = _decorated(module, use.call)
        if function is not None and function.span not in seen:
            seen.add(function.span)
            yield module, function
    for item in project.predictions:
        module = project.modules.get(item.path)
        if (
            module is None
            or item.kind not in {"service", "stream"}
            or project.is_example(item.path)
        ):
            continue
        for function in module.functions:
            if function.name in _HANDLERS and function.span not in seen:
                seen.add(function.span)
                yield module, function
    for module, function, _ in hinted_models(project):
        if function.span not in seen:
            seen.add(function.span)
            yield module, function


def _asks(project: Project, module: Module, function: Function) -> bool:
    """Whether an entry point predicts, by its name, its path or by what it runs."""
    if _ASKED.search(f"{function.name} {' '.join(function.decorators)}"):
        return True
    if function.name in _HANDLERS:
        return True
    walked = scopes(project, [Scope(module.path, function.qualname)])
    return any(u.capability in _PREDICTS for u in uses_of(project, walked))


def _decorated(module: Module, call: Call) -> Function | None:
    """The function under a route; a module may hold several of one name."""
    line = module.flat(call.span)
    below = [
        f for f in module.functions if f.qualname == call.decorates and module.flat(f.span) >= line
    ]
    return min(below, key=lambda f: module.flat(f.span), default=None)


def _checked(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """How a route checks what it takes: `strict`, `plain` or by a `mistaken` default."""
    for param in function.params:
        text = f"{param.written} {param.default.text if param.default else ''}"
        if _STRICT.search(text) or _LITERAL.search(param.written):
            place = declared_span(project, function.span, param.name)
            yield "strict", Evidence(place, f"{param.name}: {text.strip()}")
        elif found := _schema(project, module, param.written):
            yield from found
        elif _typed(param) and not _ignores_types(module):
            place = declared_span(project, function.span, param.name)
            yield "plain", Evidence(place, f"{param.name}: {param.written}")
    yield from _by_hand(module, function)
    yield from _answered(project, module, function)
    yield from _in_helpers(project, module, function)
    yield from presence(project, module, function)
    for evidence in (*decoders(project, module, function), *described_inputs(module, function)):
        yield "plain", evidence


def _ignores_types(module: Module) -> bool:
    """Whether the framework of a module's routes takes no notice of annotations."""
    return "flask" in module.roots and not module.roots & _ENFORCING


def _typed(param: Param) -> bool:
    """Whether a framework enforces the parameter's type."""
    if param.name in {"self", "cls"} or not _PLAIN.search(param.written):
        return False
    default = param.default.text if param.default else ""
    return not re.search(r"Request|Depends|dict", f"{param.written} {default}", re.IGNORECASE)


def _schema(project: Project, module: Module, annotation: str) -> list[tuple[str, Evidence]]:
    """What the classes in an annotation check."""
    found: list[tuple[str, Evidence]] = []
    for name in re.findall(r"[A-Za-z_][\w.]*", annotation)[:6]:
        resolved = _resolve(project, module, name)
        if resolved is not None:
            found += _class(project, *resolved, depth=3)
    return found


def _resolve(project: Project, module: Module, name: str) -> tuple[Module, Class] | None:
    own = module.klass(name)
    if own is not None:
        return module, own
    head, _, rest = name.partition(".")
    for item in module.imports:
        if item.alias == head:
            symbol = project.index.resolve(f"{item.dotted}.{rest}".rstrip("."), module.path)
            if symbol is not None and symbol.kind == "class":
                owner = project.modules[symbol.path]
                cls = owner.klass(symbol.qualname)
                return (owner, cls) if cls else None
    return None


def _class(project: Project, module: Module, cls: Class, depth: int) -> list[tuple[str, Evidence]]:
    bases = tuple(project.index.bases(module.path, cls))
    if any(re.search(r"(^|\.)(Str|Int)?Enum$", b) for b in bases):
        return [("strict", Evidence(cls.span, f"categories {cls.name}"))]
    record = any(_MODEL_BASES.search(b) for b in bases) or any(
        "dataclass" in d for d in cls.decorators
    )
    if not record:
        return []
    found: list[tuple[str, Evidence]] = []
    for field in cls.fields:
        default = field.default.text if field.default else ""
        if _STRICT.search(f"{field.annotation} {default}") or _LITERAL.search(field.annotation):
            found.append(
                (
                    "strict",
                    Evidence(
                        declared_span(project, cls.span, field.name),
                        f"{cls.name}.{field.name}: {field.annotation} {default}",
                    ),
                )
            )
        elif _LITERAL.search(default):
            place = declared_span(project, cls.span, field.name)
            found.append(("mistaken", Evidence(place, f"{field.name} = {default}")))
        elif depth > 0:
            for name in re.findall(r"[A-Z]\w+", field.annotation)[:4]:
                inner = _resolve(project, module, name)
                if inner is not None and inner[1] is not cls:
                    found += [
                        f for f in _class(project, *inner, depth=depth - 1) if f[0] == "strict"
                    ]
    validators = [
        f
        for f in module.functions
        if f.owner == cls.qualname and any(_VALIDATOR.search(d.split("(")[0]) for d in f.decorators)
    ]
    found += [
        ("plain" if _presence(module, f) else "strict", Evidence(f.span, f"validator {f.name}"))
        for f in validators
        if not f.stub
    ]
    return found or [("plain", Evidence(cls.span, f"schema {cls.name}"))]


def _presence(module: Module, function: Function) -> bool:
    """Whether a validator only refuses what is empty."""
    tests = [b.test for b in module.branches if b.scope == function.qualname and b.kind == "if"]
    return bool(tests) and all(_EMPTY.fullmatch(t) for t in tests)


def _by_hand(module: Module, function: Function) -> Iterator[tuple[str, Evidence]]:
    """Conditions on the request that end in a refusal."""
    for raised in module.raises:
        if raised.scope != function.qualname or not raised.guards:
            continue
        refuses = _REFUSES.search(f"{raised.name} {raised.text}") and not re.search(
            r"\b5\d\d\b|500", raised.text
        )
        guard = raised.guards[-1]
        test = f"not {guard.text}" if guard.negated and guard.text.isidentifier() else guard.text
        if refuses and _REQUEST.search(test):
            kind = "strict" if bounds_a_value(test) else "plain"
            if kind == "strict" or _PRESENT.search(test):
                yield kind, Evidence(raised.span, f"if {test}: {raised.text}")


def _in_helpers(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """Values that a function behind the route answers with a client error."""
    for scope in scopes(project, [Scope(module.path, function.qualname)]):
        helper = project.modules[scope.path]
        if (scope.path, scope.qualname) == (module.path, function.qualname):
            continue
        refusals = [
            (r.span, r.guards, r.text)
            for r in helper.raises
            if r.scope == scope.qualname and refuses_client(r.text)
        ]
        refusals += [
            (c.span, c.guards, c.text)
            for c in helper.calls_in(scope.qualname)
            if _only_refuses(project, helper, c)
        ]
        for span, guards, text in refusals:
            test = guards[-1].text if guards else ""
            if bounds_a_value(test):
                yield "strict", Evidence(span, f"if {test}: {text}")


def _only_refuses(project: Project, module: Module, call: Call) -> bool:
    """Whether a call goes to a function of the project that does no more than refuse."""
    for symbol in project.index.targets(call, module.path):
        owner = project.modules.get(symbol.path)
        if owner is not None and symbol.kind == "function":
            raised = [r for r in owner.raises if r.scope == symbol.qualname]
            return any(not r.guards and refuses_client(r.text) for r in raised)
    return False


def _answered(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """Conditions that a route answers with a client error: `return {...}, 400`."""
    lines = (project.text(module.path) or "").splitlines()
    for branch in module.branches:
        if branch.scope != function.qualname or branch.kind != "if":
            continue
        start, end = branch.body
        body = "\n".join(lines[start - 1 : min(end, start + _SHORT_BODY)])
        if module.notebook or not _CLIENT_ERROR.search(body):
            continue
        evidence = Evidence(branch.span, f"if {branch.test}")
        if bounds_a_value(branch.test):
            yield "strict", evidence
        elif _PRESENT.search(branch.test):
            yield "plain", evidence


def _applied(project: Project) -> list[Evidence]:
    """Schemas that a batch job, or the code behind a route, applies to its input."""
    roots = []
    # A command for a person is no entry point that is deployed, where a service or job is.
    deployed = {"service", "stream", "batch"}
    kinds = deployed if any(p.kind in deployed for p in project.predictions) else {"command"}
    for item in project.predictions:
        module = project.modules.get(item.path)
        if module is None or item.kind not in kinds:
            continue
        if project.is_example(item.path):
            continue
        names = [item.scope] if item.scope else ["", *(f.qualname for f in module.functions)]
        roots += [Scope(item.path, name) for name in names]
    checks = {
        c.evidence.span: c for c in project.validation.checks if c.stops and c.where == "code"
    }
    walked = scopes(project, roots)
    found = [
        u.evidence()
        for u in uses_of(project, walked)
        if u.capability == "data.validate"
        and u.tool.lower().startswith(("pandera", "great"))
        and u.path not in project.roles.training
        and is_called(project, u.path, u.scope)
    ]
    reached = {(s.path, s.qualname) for s in walked}
    for span, check in checks.items():
        module = project.modules.get(span.path)
        if module is None or not check.tool.lower().startswith(("pandera", "patito")):
            continue
        scope = next((c.scope for c in module.calls if c.span == span), "")
        if (span.path, scope) in reached:
            found.append(check.evidence)
    return [*found, *_validated(project, walked)]


def _validated(project: Project, walked: tuple[Scope, ...]) -> Iterator[Evidence]:
    """Rows that go through a record's own check, such as `Row.model_validate(...)`."""
    for module, call in calls_of(project, walked):
        if call.method not in _VALIDATES or not call.receiver:
            continue
        place, _, name = call.name.rpartition(".")[0].lstrip(":").rpartition(".")
        path = (project.index.module(place, module.path) if place else "") or module.path
        owner = project.modules[path]
        adapter = next(
            (c for c in owner.calls if c.method == "TypeAdapter" and name in c.targets), None
        )
        checked = _schema(project, owner, adapter.text if adapter is not None else name)
        if any(kind == "strict" for kind, _ in checked):
            yield Evidence(call.span, call.told)


def _signatures(project: Project) -> list[Evidence]:
    """Signatures of models that a server enforces: names, types and shapes."""
    if not sightings(project, "serve.model"):
        return []
    found = []
    for path, module in project.modules.items():
        if path in project.test_files or module.notebook:
            continue
        found += [
            Evidence(c.span, c.text)
            for c in module.calls
            if c.method == "save" and c.kw("signatures") is not None
        ]
    return found


def _widgets(project: Project) -> list[Evidence]:
    """Fields of a demo that offer bounded values only."""
    found = []
    for item in project.predictions:
        module = project.modules.get(item.path)
        if item.kind == "demo" and module is not None:
            found += [
                Evidence(c.span, c.text)
                for c in module.calls
                if c.method in _WIDGETS and (len(c.args) > 1 or _BOUNDS & {k for k, _ in c.kwargs})
            ]
    return found[:5]
