"""The registry of CI systems: one module a system, found by a scan of the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_audit.facts import ci
from mlops_audit.facts.ci import read_workflows, system_of, systems

ACME = """
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Job, Workflow
from mlops_audit.model import Span

SIGNS = Signs(r"\\.acme/[^/]+\\.conf", (rb"^acme-pipeline:",))


def read_acme(path, data, getter):
    span = Span(path, 1)
    return (Workflow("acme", path, data.decode(), span, (), (Job("build", span),)),)
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that is nothing but one more module of the package."""
    (tmp_path / "acme.py").write_text(ACME)
    monkeypatch.setattr(ci, "__path__", [*ci.__path__, str(tmp_path)])
    systems.cache_clear()
    yield
    systems.cache_clear()


@pytest.mark.usefixtures("acme")
def test_a_new_system_is_one_file() -> None:
    """A module that is dropped into the package is known by its signs and reads its files."""
    files = {".acme/ci.conf": b"nightly", "ci/build.yml": b"acme-pipeline: weekly\n"}
    workflows, unreadable = read_workflows(files, files.get)
    assert [(w.system, w.path, w.name) for w in workflows] == [
        ("acme", ".acme/ci.conf", "nightly"),
        ("acme", "ci/build.yml", "acme-pipeline: weekly\n"),
    ]
    assert not unreadable


def test_a_prescribed_path_goes_before_a_name_that_people_make_up() -> None:
    """A workflow of GitHub stays one, whichever other system its file name speaks of."""
    for name in ("azure-pipelines.yml", "Jenkinsfile.yml", "cloudbuild.yaml", "buildspec.yml"):
        assert system_of(f".github/workflows/{name}", lambda: None) == "github"
        assert system_of(f"ops/{name}", lambda: None) != "github"
