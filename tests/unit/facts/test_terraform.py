"""Terraform, and the infrastructure of a whole tree."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.cloudtriggers import read_cloudtriggers
from mlops_audit.facts.infra import read_resources
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.terraform import read_terraform


def blocks(text: str) -> dict[str, Resource]:
    """The resources of a file by name."""
    found = read_terraform("main.tf", dedent(text).encode())
    assert isinstance(found, tuple)
    return {resource.name: resource for resource in found}


def test_blocks_attributes_and_lines() -> None:
    """Types, labels, nested blocks, lists, heredocs and references; comments are none."""
    found = blocks(
        """
        # resource "aws_x" "commented" {}
        resource "aws_cloudwatch_event_rule" "nightly" {
          schedule_expression = "rate(1 day)" // daily
          is_enabled          = false
        }
        /* resource "aws_y" "z" {} */
        resource "aws_lambda_function" "f" {
          name  = "${var.name}-x"
          role  = aws_iam_role.r.arn
          args  = ["a", var.b, 1]
          count = var.on ? 1 : 0
          environment {
            variables = { A = "b" }
          }
          script = <<-EOT
            pytest
          EOT
        }
        data "aws_ami" "d" {}
        variable "x" { default = 1 }
        """
    )
    assert set(found) == {"nightly", "f", "d", "x"}
    nightly, function = found["nightly"], found["f"]
    assert (nightly.kind, nightly.schedule, nightly.disabled, nightly.span.line) == (
        "aws_cloudwatch_event_rule",
        "rate(1 day)",
        "is_enabled = false",
        3,
    )
    assert function.references == ("aws_iam_role.r",)
    args = function.node.get("args")
    assert args is not None
    assert args.plain() == ["a", "var.b", 1]
    assert function.node.str_at("environment", "variables", "A") == "b"
    script = function.node.get("script")
    assert script is not None
    assert (script.text.strip(), script.text_line) == ("pytest", 17)
    assert found["d"].kind == "data aws_ami"
    assert function.condition.startswith("var.on")


def test_build_triggers_are_workflows() -> None:
    """A Cloud Build trigger brings the build file it names; a pipeline its stages."""
    text = """
    resource "google_cloudbuild_trigger" "ci" {
      filename = "ci/build.yaml"
      github { push { branch = "^main$" } }
    }
    resource "aws_codepipeline" "p" {
      stage {
        name = "Source"
        action { category = "Source"
          provider = "GitHub"
          configuration = { Branch = "main" } }
      }
      stage {
        name = "Ship"
        action { category = "Approval"
          provider = "Manual" }
      }
    }
    """
    files = {"ci/build.yaml": b"steps: [{name: python, entrypoint: pytest}]"}
    ci, pipe = read_cloudtriggers("main.tf", dedent(text).encode(), files.get)
    assert (ci.triggers[0].kind.value, ci.triggers[0].branches) == ("push", ("/^main$/",))
    assert ci.jobs[0].jobs[0].steps[0].commands[0].argv == ("pytest",)
    assert pipe.triggers[0].branches == ("main",)
    assert pipe.jobs[0].manual


def test_a_whole_tree() -> None:
    """Each file is read by the reader of its kind; broken ones are said; values need a chart."""
    files = {
        "main.tf": b'resource "a_b" "c" {}',
        "k.yaml": b"apiVersion: v1\nkind: Service\nmetadata: {name: s}",
        "t.yaml": b"AWSTemplateFormatVersion: x\nResources: {A: {Type: 'AWS::S3::Bucket'}}",
        "bad.yaml": b"apiVersion: v1\nkind: [\n",
        "chart/Chart.yaml": b"name: x",
        "chart/values.yaml": b"image: {repository: x}",
        "conf/values.yaml": b"image: {repository: x}",
    }
    resources, unreadable = read_resources(files, files.get)
    assert [(r.system, r.path) for r in resources] == [
        ("helm-values", "chart/values.yaml"),
        ("kubernetes", "k.yaml"),
        ("terraform", "main.tf"),
        ("cloudformation", "t.yaml"),
    ]
    assert [u.span.path for u in unreadable] == ["bad.yaml"]


@given(st.one_of(st.binary(max_size=200), st.text('resource "a" {}[]=<EOT\n$#/*,', max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is an answer."""
    raw = data.encode() if isinstance(data, str) else data
    read_terraform("main.tf", raw)
    read_terraform("main.tf.json", raw)
    read_cloudtriggers("main.tf", b"codepipeline" + raw, lambda _path: None)


def test_builds_of_a_pipeline() -> None:
    """An action runs the buildspec of the project or module that it names, which starts no more."""
    file = b"""
    resource "aws_codebuild_project" "tests" {
      name = "unit-tests"
      source { buildspec = "ci/tests.yml" }
    }
    module "stack" {
      source    = "./codebuild"
      buildspec = "${path.root}/ci/stack.yml"
    }
    resource "aws_codepipeline" "all" {
      stage {
        name = "Test"
        action {
          category      = "Build"
          provider      = "CodeBuild"
          configuration = { ProjectName = "unit-tests" }
        }
      }
      stage {
        name = "Deploy"
        action {
          category      = "Build"
          provider      = "CodeBuild"
          configuration = { ProjectName = module.stack.project }
        }
      }
    }
    """
    spec = b"version: 0.2\nphases:\n  build:\n    commands: [make %s]\n"
    files = {"ci/tests.yml": spec % b"test", "ci/stack.yml": spec % b"deploy"}
    (workflow,) = read_cloudtriggers("main.tf", file, files.get)
    steps = [job.steps[0] for job in workflow.jobs]
    assert [s.local for s in steps] == ["ci/tests.yml", "ci/stack.yml"]
    assert [c.text for s in steps for i in s.steps for c in i.commands] == [
        "make test",
        "make deploy",
    ]
