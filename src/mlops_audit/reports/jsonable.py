"""A report as plain JSON data: the shape that others rely on, used by several formats."""

from __future__ import annotations

from mlops_audit.model import (
    Attestation,
    Comparison,
    Diagnostic,
    Evidence,
    Finding,
    LevelResult,
    Report,
    Scores,
    Waiver,
)

__all__ = ["EVIDENCE_SHOWN", "FORMAT_VERSION", "as_data"]

FORMAT_VERSION = 1
EVIDENCE_SHOWN = 10
"""Places listed for one practice; `evidence_total` says how many there are."""

Data = dict[str, object]


def as_data(report: Report) -> Data:
    """The report as JSON data, keys in the documented order."""
    repository = report.repository
    data: Data = {
        "format_version": FORMAT_VERSION,
        "tool": {"name": "mlops-audit", "version": report.version},
        "repository": {
            "path": repository.path,
            "commit": repository.commit,
            "dirty": repository.dirty,
            "files": repository.files,
            "unread": repository.unread,
        },
        "roles": {
            "kind": report.roles.kind,
            "trains": report.roles.trains,
            "serves": report.roles.serves,
            "evidence": [_evidence(e) for e in report.roles.evidence[:EVIDENCE_SHOWN]],
        },
        "projects": [{"path": p.path, "name": p.name} for p in report.projects],
        "model": report.assessment.models[0].name if report.assessment.models else "ladder",
        "level": _level(report.assessment.level),
        "models": {m.name: {"kind": m.kind, **m.data} for m in report.assessment.models},
        "scores": _scores(report.assessment.scores),
        "practices": [_practice(f) for f in report.findings],
        "diagnostics": [_diagnostic(d) for d in report.diagnostics],
        "attestations": [_entry(a) for a in report.attestations],
        "waivers": [_entry(w) for w in report.waivers],
    }
    if report.gate is not None:
        data["gate"] = {"met": report.gate.met, "reasons": list(report.gate.reasons)}
    if report.comparison is not None:
        data["against"] = _comparison(report.comparison)
    return data


def _level(level: LevelResult) -> Data:
    return {
        "reached": level.reached,
        "name": level.name,
        "target": level.target,
        "target_met": level.target_met,
        "next": {"level": level.next[0], "name": level.next[1]} if level.next else None,
        "blocking": list(level.blocking),
        "should_share": level.should_share,
        "profile": [{"level": r.level, "musts": r.musts, "met": r.met} for r in level.profile],
        "missing": list(level.missing),
        "remark": level.remark,
    }


def _scores(scores: Scores) -> Data:
    return {
        "total": scores.total,
        "principles": dict(scores.principles),
        "assets": dict(scores.assets),
        "matrix": {key: dict(row) for key, row in scores.matrix.items()},
        "principle_levels": dict(scores.principle_levels),
    }


def _evidence(evidence: Evidence, *, with_chain: bool = True) -> Data:
    span = evidence.span
    data: Data = {"path": span.path, "line": span.line}
    if span.cell is not None:
        data["cell"] = span.cell
    data["detail"] = evidence.detail
    if with_chain:
        data["chain"] = [_evidence(hop, with_chain=False) for hop in evidence.chain]
    return data


def _practice(finding: Finding) -> Data:
    practice, verdict = finding.practice, finding.verdict
    return {
        "id": practice.id,
        "slug": practice.slug,
        "title": practice.title,
        "principle": practice.principle,
        "assets": list(practice.assets),
        "asked": [{"level": ask.level, "as": ask.kind} for ask in practice.asked],
        "outcome": str(verdict.outcome),
        "hollow": verdict.hollow,
        "strength": None if finding.strength is None else str(finding.strength),
        "project": finding.project,
        "reason": verdict.reason,
        "looked_for": verdict.looked_for,
        "evidence": [_evidence(e) for e in verdict.evidence[:EVIDENCE_SHOWN]],
        "evidence_total": len(verdict.evidence),
        "fix": {"step": practice.fix.step, "template": list(practice.fix.template)},
    }


def _diagnostic(diagnostic: Diagnostic) -> Data:
    return {
        "path": diagnostic.path,
        "line": diagnostic.line,
        "message": diagnostic.message,
    }


def _entry(entry: Waiver | Attestation) -> Data:
    return {
        "practice": entry.practice,
        "reason": entry.reason,
        "owner": entry.owner,
        "url": entry.url,
        "date": entry.date,
        "expires": entry.expires,
        "expired": entry.expired,
    }


def _comparison(comparison: Comparison) -> Data:
    return {
        "against": comparison.against,
        "level": comparison.level,
        "changes": [
            {"practice": c.practice, "before": c.before, "after": c.after, "worse": c.worse}
            for c in comparison.changes
        ],
        "new": list(comparison.new),
        "gone": list(comparison.gone),
    }
