"""CloudFormation and SAM templates, YAML or JSON: resources with their properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import Entry, Node
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = [
    "parameter_defaults",
    "read_cloudformation",
    "references",
    "template_root",
    "text_of",
]

_SUB = regex(r"\$\{([\w:.]{1,255})\}")
MAX_REFERENCES = 200


def template_root(path: str, data: bytes) -> Node | Unreadable:
    """The template's root node, of JSON or YAML."""
    if path.endswith(".json") or data.lstrip()[:1] == b"{":
        return load_json(data, path)
    return load_yaml(data, path)


def read_cloudformation(path: str, data: bytes) -> tuple[Resource, ...] | Unreadable:
    """The resources of a template; schedules of SAM functions are resources of their own."""
    root = template_root(path, data)
    if isinstance(root, Unreadable):
        return root
    resources = root.get("Resources")
    if resources is None:
        return ()
    defaults = parameter_defaults(root)
    names = frozenset(resources.keys())
    found: list[Resource] = []
    for entry in resources.entries.values():
        if entry.node.str_at("Type"):
            found.append(_resource(entry, path, defaults, names))
            found.extend(_sam_events(entry, path, defaults))
    return tuple(found)


def parameter_defaults(root: Node) -> Mapping[str, str]:
    """The defaults of a template's parameters."""
    parameters = root.get("Parameters")
    found = {name: node.get("Default") for name, node in (parameters.items() if parameters else ())}
    return {name: node.text for name, node in found.items() if node is not None}


def text_of(node: Node | None, defaults: Mapping[str, str]) -> str:
    """A scalar's text, with `!Ref` to a parameter and `!Sub` replaced by the defaults."""
    if node is None:
        return ""
    if node.kind == "map":
        for key in ("Ref", "Fn::Sub"):
            inner = node.get(key)
            if inner is not None:
                text = inner.text or next((c.text for c in inner.list()), "")
                return defaults.get(text, text) if key == "Ref" else _substituted(text, defaults)
        return ""
    if node.tag == "!Ref":
        return defaults.get(node.text, node.text)
    if node.tag == "!Sub":
        text = node.text or next((child.text for child in node.list()), "")
        return _substituted(text, defaults)
    return node.text


def _substituted(text: str, defaults: Mapping[str, str]) -> str:
    return _SUB.sub(lambda found: defaults.get(found[1], found[0]), text)


def references(node: Node) -> tuple[str, ...]:
    """The logical names that `!Ref`, `!GetAtt`, `!Sub` and their long forms point at."""
    found: dict[str, None] = {}
    for inner in node.walk():
        for name in _names(inner):
            found.setdefault(name.partition(".")[0])
        if len(found) > MAX_REFERENCES:
            break
    return tuple(found)


def _names(node: Node) -> Iterator[str]:
    if node.tag in ("!Ref", "!GetAtt"):
        yield node.text or next((child.text for child in node.list()), "")
    elif node.tag == "!Sub":
        yield from _SUB.findall(node.text or next((child.text for child in node.list()), ""))
    for key in ("Ref", "Fn::GetAtt", "Fn::Sub"):
        value = node.get(key)
        if value is not None:
            text = value.text or next((child.text for child in value.list()), "")
            yield from _SUB.findall(text) if key == "Fn::Sub" else (text,)


def _resource(
    entry: Entry, path: str, defaults: Mapping[str, str], names: frozenset[str]
) -> Resource:
    node = entry.node
    properties = node.get("Properties") or Node("map", node.line)
    schedule = properties.get("ScheduleExpression")
    pointed = tuple(name for name in references(node) if name in names and name != entry.key)
    return Resource(
        "cloudformation",
        node.str_at("Type"),
        entry.key,
        path,
        Span(path, entry.line),
        properties,
        schedule=text_of(schedule, defaults),
        disabled=_disabled(properties, defaults),
        references=pointed,
        condition=node.str_at("Condition"),
    )


def _disabled(properties: Node, defaults: Mapping[str, str]) -> str:
    state = text_of(properties.get("State"), defaults)
    if state.upper() == "DISABLED":
        return f"State: {state}"
    enabled = properties.get("Enabled")
    return "Enabled: false" if text_of(enabled, defaults).lower() == "false" else ""


def _sam_events(entry: Entry, path: str, defaults: Mapping[str, str]) -> Iterator[Resource]:
    """`Events:` of a SAM function or state machine, e.g. `AWS::Serverless::Function/Schedule`."""
    events = entry.node.get("Properties", "Events")
    for event in events.entries.values() if events is not None else ():
        properties = event.node.get("Properties") or Node("map", event.node.line)
        schedule = properties.get("Schedule") or properties.get("ScheduleExpression")
        yield Resource(
            "cloudformation",
            f"{entry.node.str_at('Type')}/{event.node.str_at('Type')}",
            f"{entry.key}.{event.key}",
            path,
            Span(path, event.line),
            properties,
            schedule=text_of(schedule, defaults),
            disabled=_disabled(properties, defaults),
            references=(entry.key,),
        )
