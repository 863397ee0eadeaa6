"""What the Makefile reader gives."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_audit.facts.make import read_make
from mlops_audit.facts.types import Target

MAKEFILE = """\
PYTHON ?= python3
SRC := src
TESTS = $(SRC)/tests
include common.mk
.PHONY: all test lint clean hollow

## Runs everything
all: lint test  # and more

test: data/x.csv
\tcd $(SRC) && $(PYTHON) -m pytest $(TESTS) \\
\t  -q
\t-ruff check .
\t@echo $$HOME

data/x.csv: raw/y.csv scripts/get.py
\tpython scripts/get.py $< > $@

models/%.pkl: data/x.csv
\tpython train.py $@

lint: ; $(LINT)

sub:
\t$(MAKE) -C sub test

hollow:
ifeq ($(CI),true)
X = 1
endif
define RUN
mypy src
ruff check
endef
canned:
\t$(RUN)
"""


def read(text: str) -> dict[str, Target]:
    """Read a Makefile with one include."""
    files = {"common.mk": b"LINT = ruff check\nshared:\n\tmake x\n"}
    return {t.name: t for t in read_make(text.encode(), "Makefile", files.get)}


def argvs(target: Target) -> list[str]:
    """Give the commands as lines."""
    return [" ".join(c.argv) for c in target.commands]


def test_rules_and_variables() -> None:
    """Variables, automatic variables and `$(MAKE)` are replaced, prerequisites kept."""
    found = read(MAKEFILE)
    assert argvs(found["test"]) == [
        "cd src", "python3 -m pytest src/tests -q", "ruff check .", "echo $HOME",
    ]  # fmt: skip
    assert found["test"].commands[1].cwd == "src"
    assert found["test"].commands[2].cwd == ""
    assert [c.span.line for c in found["test"].commands] == [11, 11, 13, 14]
    assert found["all"].needs == ("lint", "test")
    assert argvs(found["lint"]) == ["ruff check"]
    assert argvs(found["sub"]) == ["make -C sub test"]
    assert argvs(found["canned"]) == ["mypy src", "ruff check"]


def test_soft_prefix() -> None:
    """A leading `-` makes the line's commands soft, and only them."""
    assert [c.soft for c in read(MAKEFILE)["test"].commands] == [False, False, True, False]


def test_files_and_phony() -> None:
    """Targets that are files have inputs and outputs; phony ones have not."""
    found = read(MAKEFILE)
    data = found["data/x.csv"]
    assert (data.phony, data.outputs, data.inputs) == (
        False,
        ("data/x.csv",),
        ("raw/y.csv", "scripts/get.py"),
    )
    assert found["models/%.pkl"].inputs == ("data/x.csv",)
    assert found["test"].phony
    assert found["test"].needs == ("data/x.csv",)
    assert data.commands[0].stdout == "data/x.csv"


def test_hollow_and_documented() -> None:
    """A target without recipe keeps no commands; comments document targets."""
    found = read(MAKEFILE)
    assert (found["hollow"].commands, found["hollow"].needs) == ((), ())
    assert found["all"].doc == "and more"


def test_include_and_default() -> None:
    """Included rules keep their own place; `.DEFAULT_GOAL` comes first."""
    found = read_make(MAKEFILE.encode() + b"\n.DEFAULT_GOAL := sub\n", "Makefile", lambda _: None)
    assert found[0].name == "sub"
    assert read(MAKEFILE)["shared"].span.path == "common.mk"


def test_conditionals_and_one_shell() -> None:
    """A decidable conditional takes one branch; `.ONESHELL` makes the recipe one text."""
    text = "M = a\n.ONESHELL:\nifeq ($(M),a)\nT = x\nelse\nT = y\nendif\nt:\n\tcd $(T)\n\tpytest\n"
    target = read(text)["t"]
    assert [(c.program, c.cwd, c.soft) for c in target.commands] == [
        ("cd", "", True),
        ("pytest", "x", False),
    ]


def test_hostile() -> None:
    """Self references, include loops and growing variables stay bounded."""
    started = time.thread_time()
    text = "A = $(B)\nB = $(A)$(A)\nC += $(C)$(C)\ninclude Makefile\nt:\n\t$(A) $(C)\n"
    read_make(text.encode(), "Makefile", lambda _: text.encode())
    read("a" * 50_000 + ":" * 50_000 + "\n\t" + "$(" * 50_000)
    assert time.thread_time() - started < 5


@given(st.binary(max_size=300) | st.text("a:=$()\t\n\\#ifendle -@", max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_make(data, "Makefile")
