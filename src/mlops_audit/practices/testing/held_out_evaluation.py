"""TST18: the evaluation that is reported uses data that nothing was trained on."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.chosen import Choice
from mlops_audit.graph.heldout import Held
from mlops_audit.graph.splits import Splits
from mlops_audit.graph.training import programs
from mlops_audit.model import Evidence, Span, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice

_LOOKED = (
    "a split of the data (train_test_split, slices, official splits, cross-validation) and a "
    "metric computed on the part held out"
)
_SETS = {"test": "test data", "val": "validation data", "cv": "cross-validation", "": "that data"}


@practice(
    id="TST18",
    title="The reported evaluation uses held-out data",
    assets="model",
    level="1s, 2M~",
    sources="S1 S4",
    fix="Split the data before training, and compute the reported metric on the part held out.",
    template=(
        "dvc.yaml",
        "src/<package>/models/evaluate_model.py",
        "src/<package>/models/split.py",
        "src/<package>/models/search_parameters.py",
    ),
    needs=("training",),
)
def held_out_evaluation(project: Project) -> Verdict:
    """Compare the data of the evaluations with the data that chose something."""
    splits = project.splits
    if not project.roles.trains and not splits.splits:
        return failed("nothing here is trained, and no data is split", looked_for=_LOOKED)
    evaluations = _decisive(project, splits)
    clean = [h for h in evaluations if not _spoiling(project, splits, h)]
    fitted = splits.of_the_fit if all(h.weak for h in clean) else ()
    if all(h.unseen for h in clean) and not _elsewhere(project, splits.of_training):
        fitted = fitted or splits.of_training
    if fitted:
        return failed(
            "the metrics are computed on the data that the model was fitted on",
            looked_for=_LOOKED,
            evidence=list(fitted[:3]),
        )
    late = {e.span.path for e in splits.too_late}
    if late and all(h.evidence.span.path in late for h in evaluations):
        return failed(
            "the model is fitted on all the data, and only then is some split off",
            looked_for=_LOOKED,
            evidence=list(splits.too_late[:3]),
        )
    if clean:
        seen = [h for h in clean if not h.weak] or [h for h in clean if not h.unseen] or clean
        shown = _one_a_line([*(h.evidence for h in seen[:4]), *splits.splits[:3]])
        return passed(f"the model is evaluated on {_SETS[clean[0].on]} that chose nothing", shown)
    if evaluations:
        first = evaluations[0]
        choice = _spoiling(project, splits, first)[0]
        return partial(
            f"{_SETS[first.on]} reports, and also chose the {choice.what}",
            _one_a_line([first.evidence, choice.evidence, *splits.splits[:3]]),
        )
    if splits.unsupervised:
        return not_applicable("unsupervised, without a held-out evaluation")
    return _unnamed(project, splits)


def _one_a_line(found: list[Evidence]) -> list[Evidence]:
    """The evidence without what stands on a line that is named already."""
    first: dict[Span, Evidence] = {}
    for evidence in found:
        first.setdefault(evidence.span, evidence)
    return list(first.values())


def _decisive(project: Project, splits: Splits) -> list[Held]:
    """The evaluations that training reports; a tutorial's notebook says nothing of a script's."""
    found = list(splits.evaluations)
    if project.roles.kind == "library":  # the rest is what others may evaluate with
        started = programs(project, {h.evidence.span.path for h in found})
        found = [h for h in found if h.evidence.span.path in started]
    if any(not h.weak and not h.notebook for h in found):  # a mere name is not what is reported
        found = [
            h
            for h in found
            if not h.unseen and not (h.notebook and not _shares(project, h.evidence.span.path))
        ]
    own = [h for h in found if not (h.notebook and project.is_example(h.evidence.span.path))]
    return own if any(not h.notebook for h in own) else found


def _spoiling(project: Project, splits: Splits, held: Held) -> list[Choice]:
    """The choices made on the same data as an evaluation."""
    found = []
    apart = any(h.on == "test" for h in splits.evaluations)
    for choice in splits.choices:
        same_place = choice.evidence.span.path == held.evidence.span.path
        if held.notebook and not same_place and not _shares(project, held.evidence.span.path):
            continue  # each notebook of a collection has its own data
        if not held.notebook and choice.evidence.span.path.endswith(".ipynb"):
            continue
        # A choice on data without a telling name was made on what is there besides a test set.
        on = choice.on or ("val" if apart or held.on == "val" else held.on)
        if on == held.on:
            found.append(choice)
    return found


def _elsewhere(project: Project, shown: tuple[Evidence, ...]) -> bool:
    """Whether a program that does not train computes metrics too, in a step of its own."""
    paths = {e.span.path for e in shown} | project.roles.training
    return any(
        u.path not in paths and not u.notebook and not project.is_example(u.path)
        for u in project.uses("evaluate.metric", test=False)
    )


def _shares(project: Project, notebook: str) -> bool:
    """Whether a notebook takes its data or model from the project's modules."""
    module = project.modules.get(notebook)
    names = (
        {i.dotted for i in module.imports} | {i.module for i in module.imports} if module else set()
    )
    found = (project.index.resolve(n, notebook) for n in sorted(names))
    return any(s is not None and s.path != notebook for s in found)


def _unnamed(project: Project, splits: Splits) -> Verdict:
    """No evaluation names its data: a split and a metric together still show one."""
    uses = project.uses("evaluate.metric")
    if project.roles.kind == "library":  # the rest is what others may evaluate with
        started = programs(project, {u.path for u in uses})
        uses = tuple(u for u in uses if u.path in started)
    metrics = [u.evidence() for u in uses]
    if metrics and splits.splits:
        shown: list[Evidence] = [splits.splits[0], *metrics[:2]]
        return passed("the data is split, and metrics are computed on what was split off", shown)
    if metrics:
        return failed(
            "metrics are computed, but no data is held out",
            looked_for=_LOOKED,
            evidence=metrics[:3],
        )
    if splits.splits:
        return failed(
            "the data is split, but nothing is evaluated on the part held out",
            looked_for=_LOOKED,
            evidence=splits.splits[:2],
        )
    return failed("no data is held out for evaluation", looked_for=_LOOKED)
