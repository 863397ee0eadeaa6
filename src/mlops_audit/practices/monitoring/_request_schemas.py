"""What the types and classes of a request check: ranges, categories, formats, or names alone."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Class, Function, Module, Param
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import declared_span
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["is_bounded", "schema_checks"]

_STRICT = regex(
    r"\b(gt|ge|lt|le|min_length|max_length|pattern|regex|multiple_of|min_items|max_items)\s*=|"
    r"\bcon(float|int|str|list|date|decimal)\b|\bPositive\w+|\bNonNegative\w+|EmailStr|HttpUrl|"
    r"AnyUrl|\bUUID\b|\bAfterValidator|\bBeforeValidator|annotated_types|\bdatetime\b|\bdate\b"
)
_LITERAL = regex(r"\bLiteral\[")
_VALIDATOR = regex(r"(field_|model_|root_)?validator$")
_MODEL_BASES = regex(r"(^|\.)(BaseModel|SQLModel|Schema|Serializer|RootModel|GenericModel)$")
_EMPTY = regex(r"not \w+|\w+ is None|not len\(\w+\)|len\(\w+\) ?(==|<|<=) ?[01]")


def is_bounded(annotation: str, default: str) -> bool:
    """Whether a type or what stands for it allows some values only."""
    return bool(_STRICT.search(f"{annotation} {default}") or _LITERAL.search(annotation))


def schema_checks(project: Project, module: Module, annotation: str) -> list[tuple[str, Evidence]]:
    """What the classes in an annotation check: `strict`, `plain`, or `mistaken` for a check."""
    found: list[tuple[str, Evidence]] = []
    for name in re.findall(r"[A-Za-z_][\w.]*", annotation)[:6]:
        resolved = _resolve(project, module, name)
        if resolved is not None:
            found += _class(project, *resolved, depth=3)
    return found


def _resolve(project: Project, module: Module, name: str) -> tuple[Module, Class] | None:
    """The project's class behind a name, with the module that it stands in."""
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
    """What a class checks by its members, fields and validators; no more than `depth` inside."""
    bases = tuple(project.index.bases(module.path, cls))
    if any(re.search(r"(^|\.)(Str|Int)?Enum$", b) for b in bases):
        return [("strict", Evidence(cls.span, f"categories {cls.name}"))]
    record = any(_MODEL_BASES.search(b) for b in bases) or any(
        "dataclass" in d for d in cls.decorators
    )
    if not record:
        return []
    found = [f for field in cls.fields for f in _field(project, module, cls, field, depth)]
    found += [
        ("plain" if _presence(module, f) else "strict", Evidence(f.span, f"validator {f.name}"))
        for f in module.functions
        if f.owner == cls.qualname
        and not f.stub
        and any(_VALIDATOR.search(d.split("(")[0]) for d in f.decorators)
    ]
    return found or [("plain", Evidence(cls.span, f"schema {cls.name}"))]


def _field(
    project: Project, module: Module, cls: Class, field: Param, depth: int
) -> list[tuple[str, Evidence]]:
    """What a field checks, by itself or by the class that it holds."""
    default = field.default.text if field.default else ""
    if is_bounded(field.annotation, default):
        place = declared_span(project, cls.span, field.name)
        told = f"{cls.name}.{field.name}: {field.annotation} {default}"
        return [("strict", Evidence(place, told))]
    if _LITERAL.search(default):
        place = declared_span(project, cls.span, field.name)
        return [("mistaken", Evidence(place, f"{field.name} = {default}"))]
    found: list[tuple[str, Evidence]] = []
    for name in re.findall(r"[A-Z]\w+", field.annotation)[:4] if depth > 0 else ():
        inner = _resolve(project, module, name)
        if inner is not None and inner[1] is not cls:
            found += [f for f in _class(project, *inner, depth=depth - 1) if f[0] == "strict"]
    return found


def _presence(module: Module, function: Function) -> bool:
    """Whether a validator only refuses what is empty."""
    tests = [b.test for b in module.branches if b.scope == function.qualname and b.kind == "if"]
    return bool(tests) and all(_EMPTY.fullmatch(t) for t in tests)
