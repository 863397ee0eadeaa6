"""The nine arrows of the loop: which are there, which are not, and what was looked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mlops_audit.facts.types import TriggerKind
from mlops_audit.graph.loopnodes import Board
from mlops_audit.graph.stores import live
from mlops_audit.model import Evidence, LoopStep, Outcome, Verdict, sentence

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["steps_of"]

_STATES = {
    Outcome.PASS: "found",
    Outcome.PARTIAL: "partial",
    Outcome.FAIL: "missing",
    Outcome.NOT_APPLICABLE: "n/a",
}
_WITHOUT_USE = {
    "library": "A library is used by others.",
    "none": "There is no model here.",
    "notebooks": "Notebooks that teach serve nothing.",
}
_WATCH = ("MON04", "MON05")  # one of them has to pass: a service can be up and its model wrong
_FEW = 4  # places shown for one arrow
_NO_TRAINING = "nothing here trains a model"
_NO_USE = "nothing here predicts for use"


def steps_of(
    project: Project, board: Board, verdicts: Mapping[str, Verdict]
) -> tuple[LoopStep, ...]:
    """Judge the arrows, in the loop's order."""
    judge = _Judge(project, board, verdicts)
    return (
        judge.starts(),
        judge.runs(),
        judge.stages(),
        judge.data(),
        judge.model(),
        judge.registry(),
        judge.service(),
        judge.monitor(),
        judge.back(),
    )


class _Judge:
    """Judges one arrow a method, from the nodes, the links and the practices' verdicts."""

    def __init__(self, project: Project, board: Board, verdicts: Mapping[str, Verdict]) -> None:
        self.project, self.board, self.verdicts = project, board, verdicts
        self.trains = project.roles.trains
        self.predicts = project.roles.has("prediction")
        automatic = [n for n in board.at("trigger") if not board.nodes[n].by_hand]
        self.reached = board.reachable(automatic)

    def _shown(self, numbers: Iterable[int]) -> tuple[Evidence, ...]:
        return tuple(self.board.nodes[n].evidence for n in numbers)[:_FEW]

    def _by(self, practice: str, source: str, target: str) -> LoopStep | None:
        """What a practice concluded, where it did."""
        verdict = self.verdicts.get(practice)
        if verdict is None or verdict.outcome is Outcome.UNKNOWN:
            return None
        return LoopStep(
            source,
            target,
            _STATES[verdict.outcome],
            sentence(verdict.reason),
            verdict.looked_for or "",
            verdict.evidence[:_FEW],
            (practice,),
        )

    def starts(self) -> LoopStep:
        """Triggers → jobs."""
        triggers = [n for n in self.board.at("trigger") if not self.board.nodes[n].by_hand]
        jobs = [n for n in self.board.at("job") if n in self.reached]
        looked = "a workflow of a CI/CD system or scheduler whose trigger can fire"
        if triggers and jobs:
            said = f"{_count(len(triggers), 'trigger')} {_start(len(triggers))}"
            reason = f"{said} {_count(len(jobs), 'job')} without a person."
            return LoopStep("trigger", "job", "found", reason, looked, self._shown(triggers))
        if self.board.at("job"):
            reason = "Jobs are there, and only a person starts them."
            shown = self._shown(self.board.at("job"))
            return LoopStep("trigger", "job", "partial", reason, looked, shown)
        dead = [
            Evidence(t.span, f"{w.name or w.path}: {why}")
            for w in self.project.workflows
            for t in w.triggers
            if (why := w.disabled or self.project.trigger_is_live(t)[1])
        ]
        reason = "Triggers are written, and none can fire." if dead else "Nothing starts by itself."
        return LoopStep("trigger", "job", "missing", reason, looked, tuple(dead)[:_FEW])

    def runs(self) -> LoopStep:
        """Jobs → pipeline stages: whether automation trains."""
        looked = "a job that runs the pipeline or the training code"
        if not self.trains:
            return LoopStep("job", "stage", "n/a", f"{_NO_TRAINING.capitalize()}.")
        done = [n for n in self.board.at("stage", "code") if n in self.reached]
        trained = [n for n in done if self.board.trains(n)]
        if trained:
            reason = f"Automation runs {self.board.nodes[trained[0]].name}."
            return LoopStep("job", "stage", "found", reason, looked, self._shown(trained))
        judged = self._by("AUT11", "job", "stage")
        if judged is not None and judged.state in {"found", "partial"}:
            return judged
        if done:
            reason = "Jobs run a part of the pipeline; a person starts training."
            return LoopStep("job", "stage", "partial", reason, looked, self._shown(done))
        return LoopStep("job", "stage", "missing", "A person starts training.", looked)

    def stages(self) -> LoopStep:
        """Pipeline stages → code."""
        looked = "stages of a pipeline tool, among them one that trains"
        if not self.trains:
            return LoopStep("stage", "code", "n/a", f"{_NO_TRAINING.capitalize()}.")
        judged = self._by("AUT01", "stage", "code")
        if judged is not None:
            return judged
        numbers = self.board.at("stage")
        tools = list(dict.fromkeys(self.board.pipelines[n].how for n in numbers))
        if any(self.board.pipelines[n].dag for n in numbers):
            reason = f"{', '.join(tools[:3])} run the code."
            return LoopStep("stage", "code", "found", reason, looked, self._shown(numbers))
        if numbers:
            reason = "Steps run in the order of a script; no pipeline tool ties them together."
            return LoopStep("stage", "code", "partial", reason, looked, self._shown(numbers))
        return LoopStep("stage", "code", "missing", "No pipeline ties the steps together.", looked)

    def data(self) -> LoopStep:
        """Code → data: whether the data that the code reads has versions."""
        judged = self._by("VER02", "code", "data")
        if judged is not None:
            return judged
        looked = "data sets that DVC, Git LFS or another store keeps in versions"
        numbers = self.board.at("data")
        if self.project.dvc.used and numbers:
            reason = "The data is tracked."
            return LoopStep("code", "data", "found", reason, looked, self._shown(numbers))
        if numbers:
            reason = "Data is there, without versions of its own."
            return LoopStep("code", "data", "partial", reason, looked, self._shown(numbers))
        return LoopStep("code", "data", "missing", "No data is named.", looked)

    def model(self) -> LoopStep:
        """Data → trained model."""
        looked = "a place where training writes its model"
        if not self.trains:
            return LoopStep("data", "model", "n/a", f"{_NO_TRAINING.capitalize()}.")
        numbers = self.board.at("model")
        if numbers:
            reason = "Training writes its model."
            return LoopStep("data", "model", "found", reason, looked, self._shown(numbers))
        if self.board.at("registry"):
            reason = "Training hands its model to a registry."
            shown = self._shown(self.board.at("registry"))
            return LoopStep("data", "model", "found", reason, looked, shown)
        return LoopStep("data", "model", "missing", "No trained model is kept.", looked)

    def registry(self) -> LoopStep:
        """Trained model → registry or versioned store."""
        looked = "a registry or versioned store that takes each trained model"
        judged = self._by("VER05", "model", "registry")
        if judged is not None:
            return judged
        if not self.trains:
            return LoopStep("model", "registry", "n/a", f"{_NO_TRAINING.capitalize()}.")
        numbers = self.board.at("registry")
        if numbers:
            reason = "Models go to a registry."
            return LoopStep("model", "registry", "found", reason, looked, self._shown(numbers))
        return LoopStep("model", "registry", "missing", "No registry takes the model.", looked)

    def service(self) -> LoopStep:
        """Registry → service, batch job or command that uses the model."""
        looked = "a service, batch job or command that loads the registered model"
        if self.project.roles.kind in _WITHOUT_USE:
            return LoopStep("registry", "service", "n/a", _WITHOUT_USE[self.project.roles.kind])
        numbers = self.board.at("service")
        if not numbers:
            return LoopStep("registry", "service", "missing", "Nothing uses the model.", looked)
        shown = self._shown(numbers)
        loads = [u for u in live(self.project, "registry.load") if not u.notebook]
        if loads:
            reason = "The model in use is looked up in the registry."
            places = (loads[0].evidence(), *shown)[:_FEW]
            return LoopStep("registry", "service", "found", reason, looked, places)
        if self.board.at("registry"):
            reason = "The model is used; that it comes from the registry was not seen."
        else:
            reason = "The model is used from a file, without a registry between."
        return LoopStep("registry", "service", "partial", reason, looked, shown)

    def monitor(self) -> LoopStep:
        """Service → monitors."""
        looked = "drift, quality over time, stored predictions, service metrics or alerts"
        if not self.predicts:
            return LoopStep("service", "monitor", "n/a", f"{_NO_USE.capitalize()}.")
        numbers = self.board.at("monitor")
        titles = list(dict.fromkeys(self.board.nodes[n].name.split(":")[0] for n in numbers))
        if not numbers:
            reason = "Nothing watches the model in use."
            return LoopStep("service", "monitor", "missing", reason, looked)
        said = f"Watched: {', '.join(titles)}."
        watched = {"drift", "quality over time"} & set(titles)
        verdicts = [self.verdicts[p] for p in _WATCH if p in self.verdicts]
        if watched and (not verdicts or any(v.outcome is Outcome.PASS for v in verdicts)):
            return LoopStep("service", "monitor", "found", said, looked, self._shown(numbers))
        reason = f"{said} Neither drift nor quality over time"
        reason += " in full." if watched else "."
        return LoopStep("service", "monitor", "partial", reason, looked, self._shown(numbers))

    def back(self) -> LoopStep:
        """Monitors → triggers: whether a signal starts training again."""
        judged = self._by("AUT12", "monitor", "trigger")
        if judged is not None:
            return judged
        looked = "a drift, quality or new-data signal that starts training"
        if not self.trains:
            return LoopStep("monitor", "trigger", "n/a", f"{_NO_TRAINING.capitalize()}.")
        if not self.predicts:
            return LoopStep("monitor", "trigger", "n/a", f"{_NO_USE.capitalize()}.")
        events = list(self.project.triggers(TriggerKind.EVENT))
        if events and any(self.board.trains(n) for n in self.reached):
            reason = "An event can start a workflow; that a monitor sends it was not seen."
            shown = tuple(Evidence(t.span, f"on {t.kind}") for _, t in events)[:_FEW]
            return LoopStep("monitor", "trigger", "partial", reason, looked, shown)
        return LoopStep("monitor", "trigger", "missing", "No signal starts training.", looked)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _start(number: int) -> str:
    return "starts" if number == 1 else "start"
