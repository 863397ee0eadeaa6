"""What the noxfile reader gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.nox import read_nox
from mlops_audit.facts.types import Unreadable

TEXT = b'''\
import nox
SRC = ["src", "tests"]
nox.options.sessions = ["tests", "lint"]

def helper(s):
    s.run("mypy", *SRC)

@nox.session(python=["3.11"], name="tests")
def run_tests(session: nox.Session) -> None:
    """Runs the tests."""
    session.install("-e", ".[dev]")
    args = session.posargs or ["-q"]
    session.run("pytest", *SRC, *session.posargs, external=True)
    if session.interactive:
        session.run("black", f"{SRC}", success_codes=[0, 1])
    helper(session)

@nox.session
def docs(session):
    session.chdir("docs")
    session.run("sphinx-build")
'''


def test_sessions() -> None:
    """Sessions give commands, installs, helpers' commands, conditions and the default list."""
    found = read_nox(TEXT, "noxfile.py")
    assert not isinstance(found, Unreadable)
    tests, docs = found
    assert (tests.name, tests.default, docs.default) == ("tests", True, False)
    assert tests.installs == ("-e", ".[dev]")
    assert [(c.argv, c.soft, c.condition) for c in tests.commands][1:] == [
        (("pytest", "src", "tests"), False, ""),
        (("black", "{['src', 'tests']}"), True, "session.interactive"),
        (("mypy", "src", "tests"), False, ""),
    ]
    assert docs.commands[0].cwd == "docs"


def test_broken() -> None:
    """A noxfile that is no Python is a fact, not an exception."""
    assert isinstance(read_nox(b"def (", "noxfile.py"), Unreadable)


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_nox(data, "noxfile.py")
