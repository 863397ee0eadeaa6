"""Job files that a platform is handed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.jobfiles import job_commands
from mlops_audit.tree import MemoryTree


def test_an_entrypoint_is_a_shell_text_at_its_line() -> None:
    """Anyscale's and SkyPilot's keys name shell commands."""
    commands = job_commands("job.yaml", b"name: x\nentrypoint: bash run.sh\nsetup: pip install .\n")
    assert [(c.argv, c.span.line) for c in commands] == [
        (("bash", "run.sh"), 2),
        (("pip", "install", "."), 3),
    ]


def test_a_containers_command_and_arguments_are_one_command() -> None:
    """Kubernetes splits a command over two lists; `sh -c TEXT` is read as its text."""
    data = b"""
spec:
  containers:
    - command: [python, train.py]
      args: ["--epochs", "3"]
    - command: [sh, -c, "pytest && python serve.py"]
"""
    argvs = [c.argv for c in job_commands("job.yaml", data)]
    assert ("python", "train.py", "--epochs", "3") in argvs
    assert ("pytest",) in argvs


def test_ci_reaches_tests_through_a_submitted_job() -> None:
    """CI → job file → script → pytest is followed, four hops."""
    files = {
        ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
        "      - run: anyscale jobs submit deploy/job.yaml --wait\n",
        "deploy/job.yaml": "entrypoint: bash deploy/job.sh\n",
        "deploy/job.sh": "pytest tests\n",
        "tests/test_a.py": "def test_a():\n    assert f() == 1\n",
    }
    project = Project.load(MemoryTree(files), Config())
    assert [w.node.span.path for w in project.ci().of("tests")] == ["deploy/job.sh"]


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """Whatever the bytes, commands or none come back."""
    assert isinstance(job_commands("job.yaml", data), tuple)
