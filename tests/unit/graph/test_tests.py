"""What counts as a test: exercises, assertions, skips, fixtures, imports, mocks, collection."""

from __future__ import annotations

import re

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.tests import TestSuite
from mlops_audit.tree import MemoryTree

CODE = "def double(x):\n    return 2 * x\n"


def suite(files: dict[str, str]) -> TestSuite:
    """The suite of a small project around `shop/code.py`."""
    tree = {"shop/__init__.py": "", "shop/code.py": CODE, **files}
    return Project.load(MemoryTree(tree), Config()).tests


def one(body: str, **files: str) -> bool:
    """Whether the only test of a file counts."""
    found = suite({"tests/test_code.py": body, **files})
    assert len(found.cases) == 1
    return found.cases[0].counts


def test_an_assertion_on_own_code_counts() -> None:
    """A call of an imported function and an assertion make a test."""
    assert one("from shop.code import double\ndef test_a():\n    assert double(1) == 2\n")


def test_a_test_is_shown_by_the_line_that_asserts() -> None:
    """The evidence is the assertion, reached through the test and its call."""
    body = (
        "from shop.code import double\n\n\ndef test_a():\n    two = double(1)\n"
        "    assert two > 0\n    assert two == 2\n"
    )
    case = suite({"shop/code.py": CODE, "tests/test_a.py": body}).counting[0]
    shown = case.evidence()
    assert (shown.span.line, shown.detail) == (6, "test_a: assert two > 0")
    assert [(hop.span.line, hop.detail) for hop in shown.chain] == [(4, "test_a"), (5, "double(1)")]
    assert case.evidence(re.compile("== 2")).span.line == 7


@pytest.mark.parametrize(
    "body",
    [
        "def test_a():\n    assert 1 + 1 == 2\n",
        "from shop.code import double\ndef test_a():\n    double(1)\n    assert True\n",
        "from shop.code import double\ndef test_a():\n    double(1)\n    assert 'a' == 'a'\n",
        (
            "from shop.gone import x\nfrom shop.code import double\n"
            "def test_a():\n    assert double(1) == 2\n"
        ),
        "from shop.code import triple, double\ndef test_a():\n    assert double(1) == 2\n",
        "from shop.code import double\ndef test_a(model):\n    assert double(model) == 2\n",
        (
            "import pytest\nfrom shop.code import double\n@pytest.mark.skip\n"
            "def test_a():\n    assert double(1) == 2\n"
        ),
        (
            "import pytest\nfrom shop.code import double\ndef test_a():\n    pytest.skip('x')\n"
            "    assert double(1) == 2\n"
        ),
        (
            "from unittest.mock import patch\nfrom shop.code import double\n"
            "@patch('shop.code.double')\ndef test_a(m):\n    assert double(1) == 2\n"
        ),
        "def own(x):\n    return x\ndef test_a():\n    assert own(1) == 1\n",
    ],
)
def test_hollow_tests_do_not_count(body: str) -> None:
    """Nothing of the project, constant, broken, undefined, skipped, mocked: none counts."""
    assert not one(body)


def test_fixtures_helpers_and_set_up_are_followed() -> None:
    """What a fixture builds and a helper asserts belongs to the test."""
    found = suite(
        {
            "tests/conftest.py": "import pytest\nfrom shop.code import double\n"
            "@pytest.fixture\ndef four():\n    return double(2)\n",
            "tests/test_a.py": "def check(x):\n    assert x == 4\n"
            "def test_a(four):\n    check(four)\n",
            "tests/test_b.py": "import unittest\nfrom shop.code import double\n"
            "class B(unittest.TestCase):\n    def setUp(self):\n        self.x = double(1)\n"
            "    def test_b(self):\n        self.assertEqual(self.x, 2)\n",
        }
    )
    assert [c.name for c in found.counting] == ["test_a", "test_b"]


def test_names_decide_what_is_collected_unless_a_command_names_the_file() -> None:
    """`*_tests.py` is collected only where a command names it."""
    body = "from shop.code import double\ndef test_a():\n    assert double(1) == 2\n"
    assert not suite({"shop/code_tests.py": body}).counting
    named = {"shop/code_tests.py": body, "Makefile": "test:\n\tpytest shop/code_tests.py\n"}
    assert len(suite(named).counting) == 1


def test_run_by_tells_which_tests_ci_reaches() -> None:
    """A job that names one file runs the tests of that file only."""
    body = "from shop.code import double\ndef test_{}():\n    assert double(1) == 2\n"
    ci = "on: push\njobs:\n  t:\n    runs-on: x\n    steps:\n      - run: pytest tests/test_a.py\n"
    files = {
        "shop/__init__.py": "",
        "shop/code.py": CODE,
        "tests/test_a.py": body.format("a"),
        "tests/test_b.py": body.format("b"),
        ".github/workflows/ci.yml": ci,
    }
    project = Project.load(MemoryTree(files), Config())
    assert [c.name for c, _ in project.tests.run_by(project.ci())] == ["test_a"]


def test_tests_with_cycles_of_helpers_end() -> None:
    """Helpers and fixtures that call one another in a circle are walked once."""
    body = (
        "from shop.code import double\ndef f():\n    g()\ndef g():\n    f()\n"
        "def test_a():\n    f()\n    assert double(1) == 2\n"
    )
    assert one(body)


def test_a_package_by_its_former_name_is_broken_unless_something_installs_it() -> None:
    """Only tests name the package and its modules lie here: broken, but for a declared one."""
    body = "from store.code import double\ndef test_a():\n    assert double(1) == 2\n"
    use = {"main.py": "from shop.code import double\n"}
    assert not one("from shop.code import double\n" + body, **use)
    assert suite({"tests/test_code.py": body, **use}).cases[0].void
    assert not suite({"tests/test_code.py": body, "setup.py": "setup(name='store')"}).cases[0].void
    assert not suite({"tests/test_code.py": body, "main.py": "import store\n"}).cases[0].void
