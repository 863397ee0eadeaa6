"""What the tox reader gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.tox import read_tox
from mlops_audit.facts.types import Target, Unreadable

INI = b"""\
[tox]
envlist = py{38,39}, lint

[testenv]
deps =
    pytest
    py39: numpy==1.0
commands =
    py38: pytest {posargs:tests} \\
        -q
    - coverage report
    {[testenv:lint]commands}

[testenv:lint]
skip_install = true
changedir = src
commands = ruff check {toxinidir}
"""


def read(data: bytes, path: str = "tox.ini") -> dict[str, Target]:
    """Read the environments by name."""
    found = read_tox(data, path)
    assert not isinstance(found, Unreadable)
    return {t.name: t for t in found}


def lines(target: Target) -> list[tuple[str, bool]]:
    """Give the commands as lines with their softness."""
    return [(" ".join(c.argv), c.soft) for c in target.commands]


def test_ini() -> None:
    """Factors, references, positional arguments and `-` are understood."""
    found = read(INI)
    assert list(found) == ["py38", "py39", "lint"]
    assert lines(found["py38"]) == [
        ("pytest tests -q", False), ("coverage report", True), ("ruff check .", False),
    ]  # fmt: skip
    assert lines(found["py39"])[0] == ("coverage report", True)
    assert found["py39"].installs == ("pytest", "numpy==1.0")
    assert found["lint"].commands[0].cwd == "src"
    assert found["py38"].commands[0].span.line == 9


def test_toml_and_legacy() -> None:
    """The TOML forms and the text within pyproject give the same."""
    native = b'[tool.tox]\nenv_list=["t"]\n[tool.tox.env.t]\ncommands=[["pytest", "-q"]]\n'
    assert lines(read(native, "pyproject.toml")["t"]) == [("pytest -q", False)]
    legacy = b'[tool.tox]\nlegacy_tox_ini = """\n[testenv]\ncommands = pytest\n"""\n'
    target = read(legacy, "pyproject.toml")["py"]
    assert (lines(target), target.commands[0].span.line) == ([("pytest", False)], 4)
    assert read(b"[project]\nname='x'\n", "pyproject.toml") == {}


@given(st.binary(max_size=200) | st.text("[]={}\n a:-,", max_size=80).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_tox(data, "tox.ini")
    read_tox(b"[testenv]\ncommands = " + data, "tox.ini")
