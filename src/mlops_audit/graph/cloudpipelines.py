"""Pipelines that infrastructure code spells out: SageMaker's steps, a state machine's tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.nodes import Node
from mlops_audit.graph.codepipelines import MAX_STEPS, Pipeline, PipelineStep
from mlops_audit.graph.lifecycle import PREDICT, PREPARE, TRAIN, named_parts
from mlops_audit.graph.memo import once
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["CloudStep", "cloud_pipelines", "cloud_settings", "cloud_steps", "steps_with"]

# The definition of a kind of resource: where it stands, and under which key its steps.
_PLACES = {
    "aws_sagemaker_pipeline": ("pipeline_definition", "Steps"),
    "AWS::SageMaker::Pipeline": ("PipelineDefinition", "Steps"),
    "aws_sfn_state_machine": ("definition", "States"),
    "AWS::StepFunctions::StateMachine": ("Definition", "States"),
    "AWS::Serverless::StateMachine": ("Definition", "States"),
}
_TRAINS = regex(r"^(Training|Tuning|AutoML)$|create(Training|HyperParameterTuning|AutoML)Job")
_PREDICTS = regex(r"^Transform$|createTransformJob")
_PREPARES = regex(r"^(EMR|Processing)$|createProcessingJob|glue:startJobRun|athena:startQuery")
_MOST = 60  # steps of one definition


class CloudStep(Struct, frozen=True):
    """A step as its platform is told it: name, type or called service, and its settings."""

    name: str
    kind: str
    path: str
    node: Node

    @property
    def evidence(self) -> Evidence:
        """The step's place and what it is."""
        return Evidence(Span(self.path, self.node.line), f"step {self.name}: {self.kind}")


@once
def cloud_steps(project: Project) -> tuple[tuple[str, Evidence, tuple[CloudStep, ...]], ...]:
    """The definitions in infrastructure code: tool, the resource, and its steps."""
    found = []
    for resource in project.resources:
        place = _PLACES.get(resource.kind)
        definition = resource.node.get(place[0]) if place is not None else None
        listed = definition.get(place[1]) if place is not None and definition else None
        if listed is None or project.is_example(resource.path):
            continue
        members = listed.items() if listed.kind == "map" else ((_name(n), n) for n in listed.many())
        steps = tuple(CloudStep(n, _kind(x), resource.path, x) for n, x in members if n)[:_MOST]
        tool = "SageMaker" if "sagemaker" in resource.kind.lower() else "Step Functions"
        if steps:
            head = Evidence(resource.span, f"{resource.kind} {resource.name}")
            found.append((tool, head, steps))
    return tuple(found)


def steps_with(project: Project, *path: str, kind: str = "") -> Iterator[Evidence]:
    """The steps of a kind, or of any, whose arguments say something, by the line of that."""
    for _, _, steps in cloud_steps(project):
        for step in steps:
            told = step.node.get("Arguments", *path)
            if told is not None and (not kind or step.kind == kind):
                line = step.node.line_of("Arguments", *path)
                said = path[-1] if path else step.kind
                yield Evidence(Span(step.path, line), f"step {step.name}: {said}")


def cloud_settings(project: Project) -> Iterator[tuple[str, Evidence]]:
    """The hyperparameters that definitions hand to their training jobs: name and place."""
    for _, _, steps in cloud_steps(project):
        for step in steps:
            given = step.node.get("Arguments", "HyperParameters")
            given = given or step.node.get("Parameters", "HyperParameters")
            for entry in given.entries.values() if given is not None else ():
                shown = entry.node.text or entry.node.kind
                yield entry.key, Evidence(Span(step.path, entry.line), f"{entry.key} = {shown}")


def _name(node: Node) -> str:
    return node.str_at("Name")


def _kind(node: Node) -> str:
    """What a step is: a state machine's task by the service that it calls."""
    called = node.str_at("Resource")
    return called.rpartition(":::")[2] if ":::" in called else called or node.str_at("Type")


def cloud_pipelines(project: Project) -> Iterator[Pipeline]:
    """Pipelines whose steps a definition in infrastructure code lists."""
    for tool, head, steps in cloud_steps(project):
        told = tuple(PipelineStep(s.name, s.evidence, _parts(s)) for s in steps[:MAX_STEPS])
        if any(s.parts for s in told):
            yield Pipeline(tool, f"{tool} steps", head, told)


def _parts(step: CloudStep) -> frozenset[str]:
    if _TRAINS.search(step.kind):
        return frozenset({TRAIN})
    if _PREDICTS.search(step.kind):
        return frozenset({PREDICT})
    if _PREPARES.search(step.kind):
        return (named_parts(step.name) - {TRAIN}) or frozenset({PREPARE})
    return frozenset()
