"""The reader of AWS CDK constructs in Python."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.cdk import read_constructs
from mlops_audit.facts.codepipeline import declared_pipelines
from mlops_audit.facts.python import read_python
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.types import TriggerKind


def read(source: str) -> dict[str, Resource]:
    """The resources of a module, by name."""
    module = read_python("infra/stack.py", textwrap.dedent(source).encode())
    return {r.name: r for r in read_constructs(module)}


def test_a_first_layer_construct_is_cloudformations_own() -> None:
    """`CfnEndpoint(endpoint_name=...)` is an AWS::SageMaker::Endpoint with EndpointName."""
    found = read("""
        from aws_cdk import aws_sagemaker as sagemaker
        endpoint = sagemaker.CfnEndpoint(self, "Endpoint", endpoint_name="taxi")
    """)
    assert found["endpoint"].kind == "AWS::SageMaker::Endpoint"
    assert found["endpoint"].node.str_at("EndpointName") == "taxi"
    assert found["endpoint"].span.line == 3


def test_properties_are_no_resources() -> None:
    """What is only a part of a construct becomes none."""
    found = read("""
        import aws_cdk.aws_sagemaker as sagemaker
        sagemaker.CfnEndpointConfig.ProductionVariantProperty(variant_name="all")
    """)
    assert not found


def test_a_rule_has_its_schedule_and_what_is_added_to_it() -> None:
    """The schedule's expression, whether it is switched off, and the later targets."""
    found = read("""
        from aws_cdk import aws_events as events, aws_events_targets as targets
        daily = "rate(1 day)"
        rule = events.Rule(self, "R", enabled=False,
                           schedule=events.Schedule.expression("rate(1 day)"))
        rule.add_target(targets.LambdaFunction(function))
    """)
    assert found["rule"].schedule == "rate(1 day)"
    assert found["rule"].disabled == "enabled=False"
    assert "LambdaFunction" in "".join(n.text for n in found["rule"].node.walk())


def test_a_pipeline_is_a_workflow_started_by_its_source_and_rules() -> None:
    """Stages given at once or added, an approval, a push of code and a schedule."""
    found = read("""
        from aws_cdk import aws_codepipeline as codepipeline
        from aws_cdk import aws_codepipeline_actions as actions
        from aws_cdk import aws_events as events, aws_events_targets as targets

        class Stack:
            def __init__(self):
                pipeline = codepipeline.Pipeline(self, "P", stages=[
                    codepipeline.StageProps(stage_name="Source", actions=[
                        actions.CodeCommitSourceAction(action_name="Code", branch="main")]),
                ])
                pipeline.add_stage(stage_name="Staging", actions=[
                    actions.CloudFormationCreateUpdateStackAction(action_name="Deploy"),
                    actions.ManualApprovalAction(action_name="Approve"),
                ])
                events.Rule(self, "Nightly", schedule=events.Schedule.cron(hour="2"),
                            targets=[targets.CodePipeline(pipeline)])
    """)
    (workflow,) = declared_pipelines("infra/stack.py", found.values(), lambda _: None)
    assert [t.kind for t in workflow.triggers] == [TriggerKind.PUSH, TriggerKind.SCHEDULE]
    assert [(j.name, j.manual) for j in workflow.jobs] == [("Staging", True)]
    assert [s.uses for s in workflow.jobs[0].steps] == ["Deploy:CloudFormation", "Approval:Manual"]


@given(st.binary())
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """Whatever a module holds, reading its constructs raises nothing."""
    read_constructs(read_python("x.py", b"import aws_cdk\n" + data))
