"""Scripts and names that a caller hands to a composite action or a step template."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from mlops_audit.facts.azure import read_azure
from mlops_audit.facts.cicommon import on_one_line
from mlops_audit.facts.github import read_github
from mlops_audit.facts.types import Step, Workflow

ACTION = """
name: run
inputs:
  script:
    default: "python --version"
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        ${{inputs.script}}
        echo done
"""


def commands(workflow: Workflow) -> list[tuple[str, int | None]]:
    """All commands with their lines."""

    def below(steps: tuple[Step, ...]) -> Iterator[Step]:
        for step in steps:
            yield step
            yield from below(step.steps)

    return [
        (" ".join(c.argv), c.span.line)
        for job in workflow.jobs
        for step in below(job.steps)
        for c in step.commands
    ]


def github(source: str) -> Workflow:
    """A workflow beside the action above."""
    files = {".github/actions/run/action.yml": ACTION.encode()}
    data = textwrap.dedent(source).encode()
    (workflow,) = read_github(".github/workflows/ci.yml", data, files.get)
    return workflow


def test_a_script_of_several_lines_runs_where_the_action_puts_it() -> None:
    """The lines are joined, so that the action's own lines keep their numbers."""
    workflow = github("""
        on: push
        jobs:
          train:
            steps:
              - uses: ./.github/actions/run
                with:
                  script: |
                    python train.py \\
                      --epochs $EPOCHS
                    python score.py
    """)
    assert commands(workflow) == [
        ("python train.py --epochs $EPOCHS", 11),
        ("python score.py", 11),
        ("echo done", 12),
    ]


def test_the_alternative_of_an_input_that_nobody_gives_counts() -> None:
    """`inputs.model || 'taxi'` is `taxi` where a push starts the workflow."""
    workflow = github("""
        on: push
        jobs:
          train:
            steps:
              - run: python -m ${{ inputs.model || 'taxi' }}.train ${{ github.sha || inputs.x }}
    """)
    assert commands(workflow)[0][0] == "python -m taxi.train ${expression}"


def test_what_a_semicolon_cannot_join_stays_unknown() -> None:
    """Compound commands and here-documents need the whole grammar."""
    assert on_one_line("a\nb") == "a; b"
    assert on_one_line("if x; then\n  y\nfi") is None
    assert on_one_line("cat <<E\nx\nE") is None


def test_azures_templates_run_the_scripts_and_defaults_given() -> None:
    """A step template's script parameter, and the pipeline's own parameters by default."""
    template = b"""
parameters:
  - name: script
    type: string
steps:
  - script: |
      ${{ parameters.script }}
      echo done
"""
    source = textwrap.dedent("""
        trigger: [main]
        parameters:
          - name: model
            default: taxi
        steps:
          - template: run.yml
            parameters:
              script: |
                python -m ${{ parameters.model }}.train \\
                  --wait
    """)
    files = {"run.yml": template}
    (workflow,) = read_azure("azure-pipelines.yml", source.encode(), files.get)
    assert commands(workflow) == [("python -m taxi.train --wait", 7), ("echo done", 8)]
