"""The reader of calls in TypeScript, and the CDK's constructs in it."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.cdk import read_constructs
from mlops_audit.facts.code import Call, Module
from mlops_audit.facts.codepipeline import declared_pipelines
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.types import TriggerKind, Workflow
from mlops_audit.facts.typescript import read_typescript

IMPORTS = """
    import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
    import * as actions from 'aws-cdk-lib/aws-codepipeline-actions';
    import * as codebuild from 'aws-cdk-lib/aws-codebuild';
"""


def read(source: str) -> Module:
    """The module of a source text."""
    return read_typescript("lib/stack.ts", textwrap.dedent(source).encode())


def calls(source: str) -> dict[str, Call]:
    """The calls of a source text by name."""
    return {c.name: c for c in read(source).calls}


def pipeline(body: str, files: dict[str, bytes] | None = None) -> Workflow:
    """The pipeline that a source text declares, with the files beside it."""
    found: tuple[Resource, ...] = read_constructs(read(IMPORTS + body))
    (workflow,) = declared_pipelines("lib/stack.ts", found, (files or {}).get)
    return workflow


def test_imports_of_every_form_name_the_package() -> None:
    """A namespace, members with an alias, `require`, and the packages of the first CDK."""
    found = calls("""
        import * as s3 from 'aws-cdk-lib/aws-s3';
        import { aws_sns as sns, Stack } from "aws-cdk-lib";
        import lambda = require('@aws-cdk/aws-lambda');
        import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
        new s3.Bucket(this, 'B');
        new sns.Topic(this, 'T');
        new lambda.Function(this, 'F', { handler: 'index.handler' });
        new Alarm(this, 'A', { threshold: 1 });
    """)
    assert set(found) == {
        "aws_cdk.aws_s3.Bucket",
        "aws_cdk.aws_sns.Topic",
        "aws_cdk.aws_lambda.Function",
        "aws_cdk.aws_cloudwatch.Alarm",
    }


def test_a_call_knows_its_variable_its_class_and_its_lines() -> None:
    """`this.rule = new Rule(...)` is held by `this.rule`, in the class whose body it stands in."""
    found = calls("""
        import { Rule } from 'aws-cdk-lib/aws-events';
        export class Daily extends Stack {
            readonly rule: Rule;
            constructor() {
                this.rule = new Rule(this, 'R', {
                    enabled: false, // a comment { with brackets
                });
                const other: Rule = new Rule(this, 'S');
            }
        }
    """)["aws_cdk.aws_events.Rule"]
    assert (found.targets, found.scope) == (("other",), "Daily")
    first = next(c for c in read(
        "import { Rule } from 'aws-cdk-lib/aws-events';\nclass D {\n this.rule = new Rule(\n'R')}"
    ).calls)  # fmt: skip
    assert (first.targets, first.scope, first.span.line, first.end_line) == (
        ("this.rule",), "D", 3, 4,
    )  # fmt: skip


def test_objects_become_properties_in_cloudformations_words() -> None:
    """The last object gives the properties, in Pascal case all the way down."""
    found = read_constructs(
        read("""
        import * as sagemaker from 'aws-cdk-lib/aws-sagemaker';
        const config = new sagemaker.CfnEndpointConfig(this, 'C', {
            dataCaptureConfig: { enableCapture: true, initialSamplingPercentage: 100 },
            productionVariants: [{ variantName: `all-${name}`, initialVariantWeight: 1 }],
        });
    """)
    )
    (resource,) = found
    assert (resource.kind, resource.name) == ("AWS::SageMaker::EndpointConfig", "config")
    assert resource.node.str_at("DataCaptureConfig", "EnableCapture") == "true"
    variants = resource.node.get("ProductionVariants")
    assert variants is not None
    assert variants.list()[0].str_at("VariantName") == "`all-${name}`"


def test_a_pipeline_with_actions_in_variables_is_a_workflow() -> None:
    """Code and an object of a store start it; a build names its file; a person approves."""
    workflow = pipeline(
        """
        export class Delivery extends Construct {
            constructor(scope: Construct, id: string) {
                this.pipeline = new codepipeline.Pipeline(this, 'P', {});
                let code: actions.Action;
                if (props.git) {
                    code = new actions.CodeStarConnectionsSourceAction({ branch: b || 'main' });
                } else {
                    code = new actions.CodeCommitSourceAction({ branch: 'main' });
                }
                const data = new actions.S3SourceAction({ actionName: 'Data' });
                this.pipeline.addStage({ stageName: 'Source', actions: [code, data] });
                const project = new codebuild.PipelineProject(this, 'Build', {
                    buildSpec: codebuild.BuildSpec.fromSourceFilename('ci/train.yml'),
                });
                const train = new actions.CodeBuildAction({ actionName: 'Train', project });
                const ask = new actions.ManualApprovalAction({ actionName: 'Ask' });
                this.pipeline.addStage({ stageName: 'Train', actions: [ask, train] });
            }
        }
        """,
        {"ci/train.yml": b"phases:\n  build:\n    commands:\n      - python train.py\n"},
    )
    assert [(t.kind, t.types, t.branches) for t in workflow.triggers] == [
        (TriggerKind.PUSH, (), ()),
        (TriggerKind.EVENT, ("data",), ()),
    ]
    (job,) = workflow.jobs
    assert job.manual
    assert [s.uses for s in job.steps] == ["Approval:Manual", "Build:CodeBuild"]
    assert [c.text for s in job.steps[1].steps for c in s.commands] == ["python train.py"]


def test_a_build_written_as_an_object_keeps_its_own_keys() -> None:
    """`BuildSpec.fromObject({...})` gives the phases and their commands."""
    workflow = pipeline("""
        const build = new codebuild.Project(this, 'B', {
            buildSpec: codebuild.BuildSpec.fromObject({
                version: '0.2',
                phases: { pre_build: { commands: ['pip install .'] },
                          build: { commands: ['pytest'] } },
            }),
        });
    """)
    steps = workflow.jobs[0].steps
    assert [(s.name, [c.text for c in s.commands]) for s in steps] == [
        ("pre_build", ["pip install ."]),
        ("build", ["pytest"]),
    ]


def test_what_cannot_be_read_says_so() -> None:
    """Brackets nested beyond reason give no calls and an error."""
    module = read("f(" * 500)
    assert module.error
    assert not module.calls


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """Whatever stands in the file, the readers give facts."""
    read_constructs(read_typescript("lib/stack.ts", b"import 'aws-cdk-lib';" + data))


@given(st.text(alphabet="new ab.:=,'`\"(){}[]<>?${}/*\n", max_size=200))
def test_broken_code_never_raises(text: str) -> None:
    """Unbalanced brackets and quotes are read as far as they go."""
    read_constructs(
        read_typescript("lib/stack.ts", f"import a from 'aws-cdk-lib'; {text}".encode())
    )
