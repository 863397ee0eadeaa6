"""The fixed report, for every test of a format."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from mlops_audit.model import Report
from mlops_audit.reports import Options

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def report() -> Report:
    """One of everything that a report can show; invented, so no new practice changes it."""
    found = runpy.run_path(str(HERE / "fixed_report.py"))["fixed_report"]()
    assert isinstance(found, Report)
    return found


@pytest.fixture(scope="session")
def options() -> Options:
    """Plain text at 80 columns with invented documentation."""
    return Options(help_of=runpy.run_path(str(HERE / "fixed_report.py"))["help_of"])
