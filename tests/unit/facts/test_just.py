"""What the justfile reader gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.just import read_just

TEXT = b"""\
src := "lib"
set shell := ["bash", "-c"]
alias t := test

default: lint (test "x")

# Runs tests
test mode="fast": data
    cd {{src}} && pytest -m {{mode}}
    -ruff check .

[working-directory: 'sub']
data:
    #!/usr/bin/env bash
    set -e
    dvc pull
    dvc repro

py:
    #!/usr/bin/env python3
    print(1)
lint:
"""


def test_recipes() -> None:
    """Recipes have commands, needs, variables, soft lines, scripts and aliases."""
    found = {t.name: t for t in read_just(TEXT, "justfile")}
    assert found["default"].default
    assert found["default"].needs == ("lint", "test")
    test = found["test"]
    assert [(c.argv, c.cwd, c.soft) for c in test.commands] == [
        (("cd", "lib"), "", False),
        (("pytest", "-m", "fast"), "lib", False),
        (("ruff", "check", "."), "", True),
    ]
    assert (test.needs, test.doc, test.commands[1].span.line) == (("data",), "Runs tests", 9)
    assert [(c.program, c.cwd) for c in found["data"].commands] == [
        ("set", "sub"), ("dvc", "sub"), ("dvc", "sub"),
    ]  # fmt: skip
    assert "print(1)" in found["py"].commands[0].stdin
    assert found["lint"].commands == ()
    assert found["t"].commands == test.commands


@given(st.binary(max_size=200) | st.text("a:= \n{}'@-#", max_size=80).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_just(data, "justfile")
