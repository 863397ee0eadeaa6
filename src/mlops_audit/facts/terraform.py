"""Terraform: resources, data, modules and variables of a `.tf` file."""

from __future__ import annotations

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.hcl import HclBlock, scan_hcl
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_terraform"]

_ADDRESS = regex(r"\b((?:data\.)?[a-z][a-z0-9]*_\w+\.[A-Za-z_][\w\-]*|module\.[\w\-]+)")
_SCHEDULES = ("schedule_expression", "schedule", "cron_expression", "cron", "recurrence")
MAX_REFERENCES = 200


def read_terraform(path: str, data: bytes) -> tuple[Resource, ...] | Unreadable:
    """The blocks of a file as resources.

    `kind` is the resource's type (`aws_cloudwatch_event_rule`), `data <type>` for data, else the
    block's type (`module`, `variable`, `provider`, …). `references` holds addresses such as
    `aws_s3_bucket.raw`.
    """
    if path.endswith(".json"):
        root = load_json(data, path)
        if isinstance(root, Unreadable):
            return root
        return tuple(_of_json(root, path))
    text = decode(data)
    blocks = scan_hcl(text) if text is not None else None
    if blocks is None:
        return Unreadable(Span(path), "no text, too long or nested too deep for HCL")
    return tuple(_resource(block, path) for block in blocks)


def _of_json(root: Node, path: str) -> list[Resource]:
    found: list[Resource] = []
    for kind in ("resource", "data"):
        group = root.get(kind)
        for type_, members in group.items() if group is not None else ():
            for entry in members.entries.values():
                block = HclBlock(kind, (type_, entry.key), entry.line, entry.node)
                found.append(_resource(block, path))
    return found


def _resource(block: HclBlock, path: str) -> Resource:
    labels = block.labels
    kind = block.type
    if block.type == "resource" and labels:
        kind = labels[0]
    elif block.type == "data" and labels:
        kind = f"data {labels[0]}"
    name = labels[-1] if labels else ""
    own = f"{labels[0]}.{name}" if block.type == "resource" and labels else ""
    return Resource(
        "terraform",
        kind,
        name,
        path,
        Span(path, block.line),
        block.body,
        schedule=_schedule(block.body),
        disabled=_disabled(block.body),
        references=tuple(address for address in _references(block.body) if address != own),
        condition=block.body.str_at("count") or block.body.str_at("for_each"),
    )


def _schedule(body: Node) -> str:
    for key in _SCHEDULES:
        node = body.get(key)
        if node is None:
            continue
        text = node.text or next((t for n in node.many() if (t := _schedule(n))), "")
        if text:
            return text
    return ""


def _disabled(body: Node) -> str:
    state = body.str_at("state")
    if state.upper() in ("DISABLED", "PAUSED"):
        return f'state = "{state}"'
    for key, off in (
        ("is_enabled", "false"),
        ("enabled", "false"),
        ("paused", "true"),
        ("disabled", "true"),
    ):
        if body.str_at(key) == off:
            return f"{key} = {off}"
    return "count = 0" if body.str_at("count") == "0" else ""


def _references(body: Node) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in body.walk():
        if node.kind == "scalar" and "." in node.text:
            for address in _ADDRESS.findall(node.text[:10_000]):
                found.setdefault(address)
        if len(found) > MAX_REFERENCES:
            break
    return tuple(found)
