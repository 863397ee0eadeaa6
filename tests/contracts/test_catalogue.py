"""The practices are the catalogue's: same ids, slugs, assets, levels and sources, twin by twin."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_audit.maturity import load_model, model_names
from mlops_audit.model import Practice, parse_asks
from mlops_audit.practices import FOLDERS, catalogue, registry
from mlops_audit.practices.document import document

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mlops_audit"
RUN_ONLY = {"REP09"}  # nothing that can be read passes or fails it
# What a repository cannot show, so that a person may attest it.
ATTESTABLE = {
    "AUT10", "AUT14", "COL04", "COL10", "COL11", "MON05", "MON06", "MON07", "MON12", "REP10",
    "TST09", "TST13",
}  # fmt: skip
ID = re.compile(r"\b(?:AUT|VER|TRK|TST|MON|REP|COL|STR)\d\d\b")

with (Path(__file__).parent / "catalogue.csv").open(encoding="utf-8", newline="") as _file:
    ROWS: Mapping[str, Mapping[str, str]] = {row["id"]: row for row in csv.DictReader(_file)}


def each(practices: tuple[Practice, ...]) -> list[Any]:
    """One parameter set a practice."""
    return [pytest.param(practice, id=practice.id) for practice in practices]


def test_every_practice_module_is_usable() -> None:
    """Production survives a broken module; a release has none."""
    assert registry().broken == ()


def test_every_principle_has_its_folder() -> None:
    """The registry's folders are the folders there are."""
    folders = {path.parent.name for path in (SOURCE / "practices").glob("*/__init__.py")}
    assert folders == set(FOLDERS)


def test_every_row_is_implemented() -> None:
    """No row of the catalogue is missing."""
    assert [id_ for id_ in ROWS if id_ not in {p.id for p in catalogue()}] == []


@pytest.mark.parametrize("practice", each(catalogue()))
def test_metadata_is_the_catalogues(practice: Practice) -> None:
    """Slug, assets, levels and sources are those of the row with this id."""
    row = ROWS[practice.id]
    assert practice.slug == row["slug"]
    assert practice.assets == tuple(row["assets"].split(", "))
    assert practice.asked == parse_asks(row["level"])
    assert practice.sources == tuple(row["sources"].split())


def test_only_what_files_cannot_show_may_be_attested() -> None:
    """A person's word stands for these practices and for no other."""
    assert {p.id for p in catalogue() if p.attestable} == ATTESTABLE


@pytest.mark.parametrize("practice", each(catalogue()))
def test_twin_is_complete(practice: Practice) -> None:
    """The twin exists, has every section, the practice's title, and nothing malformed."""
    twin = document(practice)
    assert twin.problems == ()
    assert twin.title == practice.title


@pytest.mark.parametrize("practice", each(catalogue()))
def test_twin_shows_pass_fail_and_hollow(practice: Practice) -> None:
    """Each twin has the three scenarios that every practice needs, each title once."""
    twin = document(practice)
    kinds = {scenario.kind for scenario in twin.scenarios}
    if practice.id in RUN_ONLY:
        assert kinds == {"unknown", "n/a"}
        return
    needed = {"pass", "fail"} | (set() if twin.no_hollow else {"hollow"})
    assert needed <= kinds
    assert len({(s.kind, s.title) for s in twin.scenarios}) == len(twin.scenarios)


@pytest.mark.parametrize("practice", each(catalogue()))
def test_template_files_exist(practice: Practice) -> None:
    """Every template file that a practice names is in the template, as it will be rendered."""
    made_by_running = {"dvc.lock"}
    template = ROOT / "template"
    rendered = {
        re.sub(r"\{\{ *(?:cookiecutter\.)?package_name *\}\}", "<package>", path).removesuffix(
            ".jinja"
        )
        for path in (p.relative_to(template).as_posix() for p in template.rglob("*"))
    }
    named = {path.rstrip("/") for path in practice.fix.template}
    assert named <= rendered | made_by_running


def test_no_twin_is_alone() -> None:
    """Every practice module has its `.md`, and every `.md` its module."""
    files = [path for name in FOLDERS for path in (SOURCE / "practices" / name).iterdir()]
    modules = {p.with_suffix("") for p in files if p.suffix == ".py" and p.name[0] != "_"}
    assert modules == {path.with_suffix("") for path in files if path.suffix == ".md"}


@pytest.mark.parametrize("name", model_names())
def test_models_name_known_practices(name: str) -> None:
    """A maturity model asks for practices of the catalogue only."""
    assert set(load_model(name).practices()) <= set(ROWS)


@pytest.mark.parametrize("folder", ["practices", "maturity", "knowledge"])
def test_texts_name_known_practices(folder: str) -> None:
    """An id in a twin, a model file or the tool catalogue is one of the catalogue's."""
    texts = [p for p in (SOURCE / folder).rglob("*") if p.suffix in {".md", ".toml", ".py"}]
    named = {(p.name, found) for p in texts for found in ID.findall(p.read_text("utf-8"))}
    assert sorted(pair for pair in named if pair[1] not in ROWS) == []


@pytest.mark.parametrize("practice", each(catalogue()))
def test_the_first_step_is_one_sentence_and_the_title_a_statement(practice: Practice) -> None:
    """The fix starts with a capital and ends with a full stop; the title has no full stop."""
    step = practice.fix.step
    assert re.fullmatch(r"[A-Z`][^\n]* [^\n]*[^.\s]\.", step), step
    assert re.fullmatch(r"[A-Z][^\n]* [^\n]*[^.\s]", practice.title), practice.title
