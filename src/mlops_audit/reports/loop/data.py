"""The loop as JSON."""

from __future__ import annotations

import json

from mlops_audit.model import Evidence, Loop

__all__ = ["render"]


def render(loop: Loop) -> str:
    """Write the whole loop: nothing is left out or shortened."""
    data = {
        "format_version": 1,
        "stations": [{"kind": kind, "title": title} for kind, title in loop.stations.items()],
        "nodes": [
            {
                "id": number,
                "kind": node.kind,
                "name": node.name,
                "by_hand": node.by_hand,
                **_place(node.evidence),
            }
            for number, node in enumerate(loop.nodes)
        ],
        "links": [
            {
                "from": link.source,
                "to": link.target,
                "soft": link.soft,
                "via": [_place(hop) for hop in link.via],
            }
            for link in loop.links
        ],
        "steps": [
            {
                "from": step.source,
                "to": step.target,
                "state": step.state,
                "reason": step.reason,
                "looked_for": step.looked_for or None,
                "practices": list(step.practices),
                "evidence": [_place(evidence) for evidence in step.evidence],
            }
            for step in loop.steps
        ],
        "missing": [f"{step.source} → {step.target}" for step in loop.missing],
    }
    return json.dumps(data, indent=2, ensure_ascii=True) + "\n"


def _place(evidence: Evidence) -> dict[str, object]:
    span = evidence.span
    place: dict[str, object] = {"path": span.path, "line": span.line}
    if span.cell is not None:
        place["cell"] = span.cell
    return {**place, "detail": evidence.detail}
