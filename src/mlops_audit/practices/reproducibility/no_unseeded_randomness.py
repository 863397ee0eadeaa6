"""REP05: calls that take a seed get one."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_audit.graph import Project
from mlops_audit.graph.stores import LIBRARY
from mlops_audit.model import Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.reproducibility._random import covered, draws, seeded, seeds

_QUARTER = 0.25  # of the call sites, up to which the catalogue says partial


@practice(
    id="REP05",
    title="No random draw in data or model code is unseeded",
    assets="model",
    level="3s",
    sources="S0 S4",
    fix="Hand random_state or seed, read from params.yaml, to each split, estimator and sampler.",
    template=(
        "params.yaml",
        "src/<package>/models/train_model.py",
        "src/<package>/models/search_parameters.py",
        "src/<package>/models/quality.py",
        "src/<package>/registry/gate.py",
    ),
    needs=("training",),
)
def no_unseeded_randomness(project: Project) -> Verdict:
    """Judge the share of call sites without a seed."""
    if project.roles.kind == "library":
        return not_applicable(LIBRARY)
    given = seeds(project)
    sites = draws(project)
    if not sites:
        return not_applicable("no call that takes a seed reaches data or model")
    with_seed = [d for d in sites if covered(project, d, given)]
    without = [d for d in sites if d not in with_seed]
    if not without:
        return passed(
            f"all {len(sites)} random calls are seeded",
            [seeded(project, d, given) for d in with_seed[:5]],
        )
    said = f"{len(without)} of {len(sites)} random calls have no seed"
    where = [
        replace(e, detail=f"no seed: {e.detail}") for e in (d.use.evidence() for d in without[:5])
    ]
    if len(without) <= _QUARTER * len(sites):
        return partial(said, [seeded(project, d, given) for d in with_seed[:2]] + where)
    return failed(said, looked_for="a seed for each split, estimator and sampler", evidence=where)
