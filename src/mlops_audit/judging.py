"""Asks every practice about a project, over several processes where that saves time.

The practices of one principle look at much the same, so a principle is judged by one process, and
of two processes one judges all principles that rest on what runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.graph.sourcelines import settled
from mlops_audit.model import Diagnostic, Practice, Verdict, unknown
from mlops_audit.tree.workers import divided, processes

if TYPE_CHECKING:
    from mlops_audit.graph import Project

__all__ = ["Judged", "judge_all"]

_MOST = 4  # processes: what all practices ask for is worked out in each of them
# What two processes judge: what trains, predicts and tests, and where; what files say. The few
# practices of tracking are for the one that has done its part.
_HALVES = (frozenset({"AUT", "MON", "TST"}), frozenset({"COL", "REP", "STR", "VER"}))


class Judged(Struct, frozen=True):
    """What a group of practices was answered.

    Attributes:
        verdicts: by the practice's id, each evidence on the line that shows it.
        faults: what went wrong in the practices themselves.
        unread: the files that could not be read, with the reason.
        told: what the tree said meanwhile.
    """

    verdicts: Mapping[str, Verdict]
    faults: tuple[Diagnostic, ...] = ()
    unread: Mapping[str, str] = {}
    told: tuple[Diagnostic, ...] = ()


def judge_all(project: Project, practices: Sequence[Practice], jobs: int | None = None) -> Judged:
    """The verdict of every practice.

    Args:
        project: what is judged.
        practices: the practices to ask.
        jobs: how many processes may judge; the verdicts are the same for any.
    """
    count = _processes(project, jobs)
    found = divided(partial(_judge_group, project), _groups(practices, count), count)
    for each in found:
        project.unread.update(each.unread)
    return Judged(
        {key: verdict for each in found for key, verdict in each.verdicts.items()},
        tuple(fault for each in found for fault in each.faults),
        project.unread,
        tuple(dict.fromkeys(d for each in found for d in each.told)),
    )


def _groups(practices: Sequence[Practice], count: int) -> list[list[Practice]]:
    """What is judged by one process after the other, the longest first."""
    halves = _HALVES if count == 2 else ()  # noqa: PLR2004 -- a pair
    groups: dict[frozenset[str], list[Practice]] = {}
    for practice in practices:
        alone = frozenset({practice.principle})
        group = next((half for half in halves if half >= alone), alone)
        groups.setdefault(group, []).append(practice)
    return sorted(groups.values(), key=len, reverse=True)


def _processes(project: Project, jobs: int | None) -> int:
    # What is left out of a tree that is too large to be read whole depends on who reads it.
    return min(processes(jobs), _MOST) if project.tree.fits else 1


def _judge_group(project: Project, practices: Iterable[Practice]) -> Judged:
    verdicts: dict[str, Verdict] = {}
    faults: list[Diagnostic] = []
    for practice in practices:
        verdict, fault = _judge(practice, project)
        shown = tuple(dict.fromkeys(settled(project, e) for e in verdict.evidence))
        verdicts[practice.id] = replace(verdict, evidence=shown)
        faults += [fault] if fault else []
    return Judged(verdicts, tuple(faults), dict(project.unread), tuple(project.tree.diagnostics))


def _judge(practice: Practice, project: Project) -> tuple[Verdict, Diagnostic | None]:
    """Ask one practice; a fault in it costs its own verdict only.

    Returns:
        The verdict, and what went wrong if the practice raised or gave no verdict.
    """
    try:
        verdict = practice.judge(project)
    except Exception as error:  # noqa: BLE001 -- whatever a check does, the others are reported
        import traceback  # noqa: PLC0415 -- a fault is rare, and every start would pay for it

        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.replace(chr(92), '/').rpartition('/')[2]}:{where.lineno}"
        said = f"{type(error).__name__} at {place}"
    else:
        if isinstance(verdict, Verdict):
            return verdict, None
        said = f"it gave {type(verdict).__name__}, which is no verdict"
    reason = f"a fault in this check (practice {practice.id}): please report"
    return unknown(reason), Diagnostic(".", f"a fault in the check {practice.id}: {said}")
