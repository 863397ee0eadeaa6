"""REP01: the whole dependency tree is locked."""

from __future__ import annotations

from mlops_audit.facts.dependencies import Requirement
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.reproducibility._environments import Environment, environments
from mlops_audit.practices.reproducibility._images import named_in_images

_LOOKED_FOR = "a lock of the whole dependency tree, or == for each direct dependency"
_MOST = 0.9  # of the direct run-time dependencies pinned with ==, the catalogue's share
_SOME = 3  # packages that an image pins: fewer are tools beside the project
_OTHER_LOCKS = ("renv.lock", "**/renv.lock", "Manifest.toml", "Cargo.lock", "go.sum")
_LOCKS = ("**/uv.lock", "**/poetry.lock", "**/pdm.lock", "**/Pipfile.lock", "**/pixi.lock",
          "**/conda-lock.yml")  # fmt: skip


@practice(
    id="REP01",
    title="Dependencies are locked",
    assets="code",
    level="2M",
    sources="S0 S1 S2 S4",
    fix="Run `uv lock` (or `pip-compile`) and commit the lock beside the declared dependencies.",
    template=("uv.lock", "pyproject.toml"),
    needs=("application",),
)
def dependencies_locked(project: Project) -> Verdict:
    """Judge each environment."""
    found = environments(project)
    locked = [e for e in found if e.locked]
    lockless = [e for e in found if not e.locked]
    places = [
        Evidence(x.span, f"{x.kind} lock of {len(x.packages)} packages")
        for e in locked
        for x in e.locks
    ]
    places += [Evidence(Span(r.file), "every package pinned") for e in locked for r in e.frozen]
    if locked and not lockless:
        return passed("the whole dependency tree is locked", places[:6])
    if locked:
        where = [Evidence(Span(e.requirements[0].file), "not locked") for e in lockless[:3]]
        return partial(f"{len(locked)} of {len(found)} environments are locked", places[:4] + where)
    hidden = [p for p in project.glob(*_LOCKS) if project.data(p) is None]
    if hidden:
        reason = project.unread.get(hidden[0], "not read")
        return unknown(f"{hidden[0]}: {reason}", Evidence(Span(hidden[0]), "not read"))
    others = project.glob(*_OTHER_LOCKS) if not found else ()
    if others:
        return passed(
            "the whole dependency tree is locked",
            [Evidence(Span(p), "a lock") for p in others[:3]],
        )
    return _unlocked(project, found)


def _unlocked(project: Project, found: tuple[Environment, ...]) -> Verdict:
    """Judge a project without a lock by its direct pins."""
    direct = [r for e in found for r in e.requirements if r.name != "."]
    pinned = [r for r in direct if r.pin in {"exact", "commit"}]
    main = max(found, key=lambda e: (len(e.requirements), not e.folder), default=None)
    if main is not None and direct and (main.exact >= _MOST or len(pinned) >= _MOST * len(direct)):
        where = [Evidence(r.span, r.raw) for r in _first_of_each(pinned)]
        return partial(
            "direct dependencies are pinned with ==, the tree below them is not", where[:5]
        )
    foreign = [x for e in found for x in e.foreign]
    if foreign:
        where = [Evidence(x.span, "does not hold the declared packages") for x in foreign[:3]]
        return hollow(
            "a lock does not belong to the declared dependencies", where, looked_for=_LOOKED_FOR
        )
    loose = [r for r in direct if r.pin not in {"exact", "commit"}]
    if not direct:
        named = named_in_images(project)
        exact = [e for e, fixed in named if fixed]
        if len(exact) >= _SOME and len(exact) >= _MOST * len(named):
            return partial("an image pins what it installs by name, nothing else does", exact[:5])
        return failed("no dependencies are declared or locked", looked_for=_LOOKED_FOR)
    return failed(
        f"{len(loose)} of {len(direct)} direct dependencies are not pinned, and there is no lock",
        looked_for=_LOOKED_FOR,
        evidence=[Evidence(r.span, r.raw) for r in loose[:5]],
    )


def _first_of_each(items: list[Requirement]) -> list[Requirement]:
    return list({r.file: r for r in reversed(items)}.values())[::-1]
