"""REP04: training seeds the random generators that it uses."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.graph.stores import LIBRARY
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.reproducibility._random import (
    Draw,
    covered,
    draws,
    feeds_training,
    frameworks,
    handed_over,
    seeded,
    seeds,
    switched_off,
)

_MOST = 0.75  # of a generator's call sites: below, the generator is not under control
_SEEDS = "random.seed, numpy.random.seed, a framework's seed, random_state or seed arguments"
_NAMES = {"numpy": "NumPy", "none": "a call of its own", "random": "random", "torch": "PyTorch"}


@practice(
    id="REP04",
    title="Training sets seeds for the generators it uses",
    assets="model",
    level="2M",
    sources="S0 S4",
    fix="Read one seed from params.yaml and set it for random, NumPy and the framework.",
    template=(
        "params.yaml",
        "src/<package>/params.py",
        "src/<package>/models/train_model.py",
        "src/<package>/models/search_parameters.py",
        "src/<package>/models/quality.py",
        "src/<package>/registry/gate.py",
    ),
    needs=("training",),
)
def seeds_set(project: Project) -> Verdict:
    """Judge each generator that training draws from."""
    if project.roles.kind == "library":
        return not_applicable(LIBRARY)
    given = seeds(project)
    sites: dict[str, list[bool]] = {}
    models: set[str] = set()
    shown = [_told(project, s.use) for s in given if s.use is not None]
    bare: list[Evidence] = []
    scripted = any(not p.endswith(".ipynb") for p in project.roles.training)
    for draw in draws(project):
        if (scripted and draw.use.notebook) or not feeds_training(project, draw.use.path):
            continue  # what a notebook tries beside the programs trains nothing that is used
        is_seeded = covered(project, draw, given)
        sites.setdefault((draw.generators or ("none",))[0], []).append(is_seeded)
        evidence = seeded(project, draw, given) if is_seeded else draw.use.evidence()
        if not is_seeded:
            evidence = replace(evidence, detail=f"no seed: {evidence.detail}")
            if _is_the_model(project, draw):
                models.add((draw.generators or ("none",))[0])
        (shown if is_seeded else bare).append(evidence)
    globally = {g for s in given for g in s.generators}
    for generator, use in frameworks(project).items():
        if generator not in globally:
            sites.setdefault(generator, []).append(False)
            bare.append(replace(use.evidence(), detail=f"no seed: {use.detail}"))
    shown = shown or list(handed_over(project))
    off = switched_off(project) if not shown else []
    if off:
        return partial("seeds are set behind a switch that is off", off[:5])
    if not shown:
        if sites or project.uses("train.*", test=False):
            return failed("no seed is set in training code", looked_for=_SEEDS, evidence=bare[:5])
        return not_applicable("no random step and no training")
    lacking = sorted(
        g for g, found in sites.items() if g in models or sum(found) < _MOST * len(found)
    )
    if lacking:
        names = ", ".join(_NAMES.get(g, g) for g in lacking)
        return partial(f"seeds are set, but not for {names}", [*shown[:5], *bare[:3]])
    return passed("training sets seeds for the generators it uses", shown[:5])


def _is_the_model(project: Project, draw: Draw) -> bool:
    """Whether a draw is an estimator in a program that trains: seeded splits do not outweigh it."""
    call = draw.use.call
    module = project.modules[draw.use.path]
    return (
        call is not None
        and call.method[:1].isupper()
        and draw.use.path in project.roles.training
        and not module.notebook
        and any(u.capability == "train.fit" for u in project.uses_in(draw.use.path))
    )


def _told(project: Project, use: Use) -> Evidence:
    """What sets the seed; a call that seeds by itself says with what."""
    why = use.details.why if use.details is not None else ""
    if not why or use.call is None:
        return use.evidence()
    if (given := use.call.kw("seed")) is not None:
        return Evidence(keyword_span(project, use.call, "seed"), f"seed={given.text}")
    return Evidence(use.span, f"{why}: {use.call.told}")
