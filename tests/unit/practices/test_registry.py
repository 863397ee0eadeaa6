"""The registry finds practices by scanning, names what is broken and never loses the rest."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlops_audit import practices
from mlops_audit.practices import Registry, scan

_NUMBER = itertools.count()

Scan = Callable[[Mapping[str, str]], Registry]


def module(id_: str, name: str) -> str:
    """The source of a practice that always fails."""
    return (
        "from mlops_audit.model import failed\n"
        "from mlops_audit.practices.base import practice\n\n\n"
        f"@practice(id={id_!r}, title='T', assets='code', level='2s', sources='S0', fix='F.')\n"
        f"def {name}(project):\n"
        "    return failed('nothing', looked_for='something')\n"
    )


@pytest.fixture
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """Write a package of fake practices and scan it."""
    package = f"fake_practices_{next(_NUMBER)}"
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(files: Mapping[str, str]) -> Registry:
        for name, text in {"__init__.py": "", **files}.items():
            path = tmp_path / package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text, encoding="utf-8")
        return scan(package)

    return write


@pytest.fixture
def fake_catalogue(scanned: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the public functions see three fake practices."""
    found = scanned(
        {
            "testing/test_suite.py": module("TST01", "test_suite"),
            "testing/load_tests.py": module("TST13", "load_tests"),
            "automation/task_runner.py": module("AUT04", "task_runner"),
        }
    )
    monkeypatch.setattr(practices, "registry", lambda: found)


def test_order_is_the_catalogues(scanned: Scan) -> None:
    """Practices come by principle as the catalogue orders them, then by number."""
    found = scanned(
        {
            "structure/a.py": module("STR02", "a"),
            "structure/b.py": module("STR01", "b"),
            "automation/z.py": module("AUT09", "z"),
            "versioning/c.py": module("VER01", "c"),
        }
    )
    assert [p.id for p in found.practices] == ["AUT09", "VER01", "STR01", "STR02"]
    assert found.broken == ()


def test_a_broken_module_costs_only_its_own_practice(scanned: Scan) -> None:
    """A module that cannot be imported is named, and the others are still found."""
    found = scanned(
        {
            "testing/good.py": module("TST01", "good"),
            "testing/bad.py": "raise RuntimeError('boom')\n",
            "testing/worse.py": "def (\n",
        }
    )
    assert [p.id for p in found.practices] == ["TST01"]
    assert [d.path.rpartition(".")[2] for d in found.broken] == ["bad", "worse"]
    assert "RuntimeError: boom" in found.broken[0].message


def test_a_broken_folder_costs_only_itself(scanned: Scan) -> None:
    """A folder whose __init__ raises is named, and the other folders are still scanned."""
    found = scanned(
        {
            "testing/good.py": module("TST01", "good"),
            "tracking/__init__.py": "raise RuntimeError('boom')\n",
        }
    )
    assert [p.id for p in found.practices] == ["TST01"]
    assert len(found.broken) == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "it holds: none"),
        (module("TST01", "other"), "it holds: other"),
        (module("TST01", "mine") + module("TST02", "more"), "it holds: mine, more"),
        (module("AUT01", "mine"), "does not belong to TST"),
        (module("TST01", "x") + "\nmine = x\ndel x\n", "the slug x"),
    ],
)
def test_a_module_holds_one_practice_of_its_own_name(scanned: Scan, source: str, said: str) -> None:
    """No practice, two, another name, another slug or another principle's id are refused."""
    found = scanned({"testing/mine.py": source})
    assert found.practices == ()
    assert said in found.broken[0].message


def test_ids_and_slugs_are_unique(scanned: Scan) -> None:
    """The second practice of an id or slug is refused, whatever its folder."""
    found = scanned(
        {
            "testing/first.py": module("TST01", "first"),
            "testing/second.py": module("TST01", "second"),
            "testing/third.py": module("TST01", "third"),
            "automation/first.py": module("AUT01", "first"),
        }
    )
    assert [p.id for p in found.practices] == ["AUT01", "TST01"]
    assert [d.message for d in found.broken] == [
        "first is also the slug of AUT01",
        "TST01 is also the id of second",
    ]


def test_helpers_hold_no_practice(scanned: Scan) -> None:
    """A module whose name starts with an underscore is not asked for a practice."""
    assert scanned({"testing/_shared.py": "X = 1\n"}) == Registry(())


@pytest.mark.usefixtures("fake_catalogue")
@pytest.mark.parametrize("text", ["AUT04", "aut04", "task-runner", "Task_Runner", " task-runner "])
def test_find_takes_id_or_slug(text: str) -> None:
    """Case, dashes and underscores do not matter."""
    assert practices.find(text).id == "AUT04"


@pytest.mark.usefixtures("fake_catalogue")
@pytest.mark.parametrize(("text", "near"), [("AUT05", "AUT04"), ("load-test", "load-tests")])
def test_find_names_the_nearest(text: str, near: str) -> None:
    """An unknown name is refused with the nearest known one."""
    with pytest.raises(LookupError, match=f"the nearest is {near}"):
        practices.find(text)


@pytest.mark.usefixtures("fake_catalogue")
@pytest.mark.parametrize(
    ("terms", "ids"),
    [
        (["TST"], ["TST01", "TST13"]),
        (["tst1"], ["TST13"]),
        (["load-tests,AUT", ""], ["AUT04", "TST13"]),
        (["TST01", "test_suite"], ["TST01"]),
        ([], []),
    ],
)
def test_select_takes_ids_prefixes_and_slugs(terms: list[str], ids: list[str]) -> None:
    """Terms are joined, in catalogue order, without repetition."""
    assert [p.id for p in practices.select(terms)] == ids


@pytest.mark.usefixtures("fake_catalogue")
def test_select_refuses_what_names_nothing() -> None:
    """A term that is no id, prefix or slug is an error, not an empty selection."""
    with pytest.raises(LookupError, match="'XYZ'"):
        practices.select(["TST", "XYZ"])
