"""State machines that the AWS CDK declares, in Python or TypeScript: their tasks are steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call
from mlops_audit.graph.codepipelines import MAX_STEPS, Pipeline, PipelineStep
from mlops_audit.graph.lifecycle import PREDICT, PREPARE, TRAIN, named_parts
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["state_machines"]

_TASK = regex(r"^(?:aws_cdk|monocdk)\.aws_stepfunctions_tasks\.([A-Z]\w*)$")
_MACHINE = regex(r"^(?:aws_cdk|monocdk)\.aws_stepfunctions\.StateMachine$")
_KNOWN = (
    (regex(r"^SageMakerCreate(Training|HyperParameterTuning)Job"), TRAIN),
    (regex(r"^SageMakerCreateTransformJob"), PREDICT),
    (regex(r"^(SageMakerCreateProcessingJob|Glue\w+|Emr\w+|AthenaStart\w+)"), PREPARE),
)
# Tasks that tell others, or that stand in a service's property, do no work of their own.
_NO_WORK = regex(r"^(Sns|Sqs|EventBridge|Dynamo)|Property$|Options$")


def state_machines(project: Project) -> Iterator[Pipeline]:
    """The state machines of all stacks, taken together as those of one tool are."""
    heads: list[Evidence] = []
    steps: list[PipelineStep] = []
    for module in project.construct_modules:
        for call in module.calls:
            if _MACHINE.match(call.name):
                heads.append(Evidence(call.span, call.told))
            elif (task := _TASK.match(call.name)) and not _NO_WORK.search(task[1]):
                steps.append(_step(call, task[1]))
    if heads and steps:
        yield Pipeline("Step Functions", "Step Functions", heads[0], tuple(steps[:MAX_STEPS]))


def _step(call: Call, kind: str) -> PipelineStep:
    given = next((str(v.literal) for v in call.args if isinstance(v.literal, str)), "")
    name = given or " ".join(call.targets) or kind
    known = next((part for pattern, part in _KNOWN if pattern.search(kind)), None)
    parts = named_parts(name) or (frozenset({known}) if known else frozenset())
    if known == TRAIN:
        parts = frozenset({TRAIN})
    return PipelineStep(name, Evidence(call.span, f"step {name}: {call.told}"), parts)
