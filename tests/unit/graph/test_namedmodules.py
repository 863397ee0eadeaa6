"""Modules that a command names, arguments of package scripts, builds that a pipeline calls."""

from __future__ import annotations

from pathlib import Path

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.tree import open_tree

DRIVER = """
import argparse
import importlib

def driver(name):
    module = importlib.import_module(name)
    return module.get_pipeline()

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--module-name")
    driver(parser.parse_args().module_name)
"""
PIPELINE = """
from sklearn.linear_model import Ridge

def get_pipeline():
    return Ridge().fit(X, y)

def other():
    pass
"""


def project(root: Path, files: dict[str, str]) -> Project:
    """A project of these files."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Project.load(open_tree(str(root)), Config())


def test_a_module_named_on_the_command_line_runs_what_the_program_calls(tmp_path: Path) -> None:
    """`--module-name ml.pipeline` leads to the function that the program calls on the module."""
    workflow = (
        "on: push\njobs:\n  a:\n    steps:\n      - run: python run.py --module-name ml.pipe\n"
    )
    found = project(
        tmp_path,
        {"run.py": DRIVER, "ml/pipe.py": PIPELINE, ".github/workflows/ci.yml": workflow},
    )
    functions = {w.node.key for w in found.ci().of("function")}
    assert ("ml/pipe.py", "get_pipeline") in functions
    assert ("ml/pipe.py", "other") not in functions


def test_words_behind_a_scripts_name_go_to_its_command(tmp_path: Path) -> None:
    """`yarn cdk deploy` is `cdk deploy` where the script `cdk` is the tool."""
    workflow = "on: push\njobs:\n  a:\n    steps:\n      - run: yarn cdk deploy --all\n"
    package = '{"name": "x", "scripts": {"cdk": "cdk"}}'
    found = project(tmp_path, {"package.json": package, ".github/workflows/ci.yml": workflow})
    commands = {w.node.payload[0].argv for w in found.ci().of("command")}
    assert ("cdk", "deploy", "--all") in commands


def test_a_buildspec_of_a_pipeline_starts_with_it_only(tmp_path: Path) -> None:
    """What stands before the build in the pipeline stands before it everywhere."""
    template = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Build:
    Type: AWS::CodeBuild::Project
    Properties:
      Source: {Type: CODEPIPELINE, BuildSpec: deploy/buildspec.yml}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Name: Deploy
          Actions:
            - Name: Deploy
              ActionTypeId: {Category: Build, Provider: CodeBuild}
              Configuration: {ProjectName: !Ref Build}
"""
    spec = "version: 0.2\nphases:\n  build:\n    commands: [make deploy]\n"
    found = project(tmp_path, {"pipeline.yml": template, "deploy/buildspec.yml": spec})
    starts = {w.path: w.reusable for w in found.workflows}
    assert starts == {"pipeline.yml": False, "deploy/buildspec.yml": True}
