"""CloudFormation and SAM."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.cloudformation import read_cloudformation
from mlops_audit.facts.codepipeline import read_codepipeline
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.signs import INFRASTRUCTURE

PIPELINE = """
AWSTemplateFormatVersion: '2010-09-09'
Parameters: {Branch: {Type: String, Default: main}, State: {Type: String, Default: DISABLED}}
Resources:
  Build:
    Type: AWS::CodeBuild::Project
    Properties:
      Source:
        Type: CODEPIPELINE
        BuildSpec: |
          version: 0.2
          phases:
            build:
              commands:
                - pytest
  Pipe:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Name: Source
          Actions:
            - Name: Src
              ActionTypeId: {Category: Source, Provider: CodeCommit}
              Configuration: {BranchName: !Ref Branch}
        - Name: Test
          Actions:
            - Name: T
              ActionTypeId: {Category: Build, Provider: CodeBuild}
              Configuration: {ProjectName: !Ref Build}
        - Name: Ship
          Actions:
            - ActionTypeId: {Category: Approval, Provider: Manual}
            - ActionTypeId: {Category: Deploy, Provider: CloudFormation}
              Configuration: {StackName: !Sub "${Branch}-x"}
  Nightly:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 day)
      State: !Ref State
      Targets: [{Arn: !Sub "arn:aws:codepipeline:x:${Pipe}"}]
"""


def resources(text: str, path: str = "t.yaml") -> dict[str, Resource]:
    """The resources of a template by name."""
    found = read_cloudformation(path, dedent(text).encode())
    assert isinstance(found, tuple)
    return {resource.name: resource for resource in found}


def test_resources_references_and_disabled_schedules() -> None:
    """Types, properties, what they point at, and a schedule that the default disables."""
    found = resources(PIPELINE)
    assert (found["Nightly"].kind, found["Nightly"].schedule) == (
        "AWS::Events::Rule",
        "rate(1 day)",
    )
    assert found["Nightly"].disabled == "State: DISABLED"
    assert found["Nightly"].references == ("Pipe",)
    assert found["Nightly"].span.line == 35
    assert found["Pipe"].references == ("Build",)


def test_pipelines_are_workflows() -> None:
    """Source, build with inline buildspec, approval and deployment, and the rule that starts it."""
    (workflow,) = read_codepipeline("t.yaml", PIPELINE.encode(), lambda _path: None)
    assert systems()["codepipeline"].looks(PIPELINE.encode())
    test, ship = workflow.jobs
    command = test.steps[0].steps[0].commands[0]
    assert (command.argv, command.span.line) == (("pytest",), 15)
    assert (ship.manual, ship.needs) == (True, ("Test",))
    assert ship.steps[1].inputs["StackName"] == "main-x"
    push, nightly = workflow.triggers
    assert (push.kind.value, push.branches) == ("push", ("main",))
    assert (nightly.cron, nightly.disabled) == ("rate(1 day)", "State: DISABLED")


def test_actions_of_a_stage_start_in_their_order() -> None:
    """`RunOrder` decides, not the line: an approval of order 1 stands before a deployment of 2."""
    text = """
    Resources:
      Pipe:
        Type: AWS::CodePipeline::Pipeline
        Properties:
          Stages:
            - Name: Source
              Actions:
                - ActionTypeId: {Category: Source, Provider: CodeCommit}
                  Name: Code
            - Name: Ship
              Actions:
                - ActionTypeId: {Category: Deploy, Provider: CloudFormation}
                  Name: Deploy
                  RunOrder: 2
                - ActionTypeId: {Category: Approval, Provider: Manual}
                  Name: Approve
                  RunOrder: 1
    """
    (workflow,) = read_codepipeline("t.yaml", dedent(text).encode(), lambda _path: None)
    assert [step.name for step in workflow.jobs[0].steps] == ["Approve", "Deploy"]


def test_a_project_alone_with_a_webhook() -> None:
    """A build project that no pipeline uses is a workflow; its buildspec may be a file."""
    text = """
    Resources:
      B:
        Type: AWS::CodeBuild::Project
        Properties: {Triggers: {Webhook: true}, Source: {BuildSpec: ci/spec.yml}}
    """
    files = {"ci/spec.yml": b"phases: {build: {commands: [make test]}}"}
    (workflow,) = read_codepipeline("t.yaml", dedent(text).encode(), files.get)
    assert workflow.triggers[0].kind.value == "push"
    assert workflow.jobs[0].steps[0].commands[0].span.path == "ci/spec.yml"


def test_sam_events_and_json() -> None:
    """SAM's schedules are resources; a template may be JSON."""
    found = resources(
        """
        Transform: AWS::Serverless-2016-10-31
        Resources:
          Fn:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Daily: {Type: Schedule, Properties: {Schedule: rate(1 day), Enabled: false}}
        """
    )
    assert found["Fn.Daily"].kind == "AWS::Serverless::Function/Schedule"
    assert found["Fn.Daily"].disabled == "Enabled: false"
    text = (
        '{"AWSTemplateFormatVersion": "x",\n "Resources": {"A": {"Type": "AWS::S3::Bucket"},'
        '\n"B": {"Type": "AWS::X::Y", "Properties": {"Z": {"Fn::GetAtt": ["A", "Arn"]}}}}}'
    )
    both = resources(text, "t.json")
    assert (both["B"].references, both["B"].span.line) == (("A",), 3)
    assert INFRASTRUCTURE["cloudformation"].looks(text.encode())
    assert not INFRASTRUCTURE["cloudformation"].looks(b"Resources:\n  a: b\n")


@given(st.one_of(st.binary(max_size=200), st.text("Resources:Type{}- []\n!Ref&*", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is an answer."""
    raw = data.encode() if isinstance(data, str) else data
    read_cloudformation("t.yaml", raw)
    read_codepipeline("t.json", raw, lambda _path: None)


RULES = """
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Pipe:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Name: Source
          Actions:
            - ActionTypeId: {Category: Source, Provider: SOURCE}
            - ActionTypeId: {Category: Source, Provider: S3}
        - Name: Train
          Actions:
            - ActionTypeId: {Category: Invoke, Provider: StepFunctions}
  Drifted:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        source: [aws.cloudwatch]
        detail-type: [CloudWatch Alarm State Change]
      Targets: [{Arn: !Sub "arn:aws:codepipeline:x:${Pipe}"}]
  Stored:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.s3]}
      Targets: [{Arn: !Sub "arn:aws:codepipeline:x:${Pipe}"}]
"""


def test_rules_say_what_starts_a_pipeline() -> None:
    """An alarm is one; an object beside a source of code is data, alone it is the code."""
    text = RULES.replace("SOURCE", "CodeCommit")
    (workflow,) = read_codepipeline("t.yaml", text.encode(), lambda _path: None)
    found = [(t.kind.value, t.types) for t in workflow.triggers]
    assert found == [
        ("push", ()),
        ("event", ("data",)),
        ("event", ("alarm",)),
        ("event", ("data",)),
    ]
    text = RULES.replace("SOURCE", "ECR")
    (workflow,) = read_codepipeline("t.yaml", text.encode(), lambda _path: None)
    assert [t.kind.value for t in workflow.triggers] == ["event", "push", "event", "push"]
