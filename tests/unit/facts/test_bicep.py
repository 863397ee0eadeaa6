"""Bicep files that a deployment reaches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.bicep import unreached_files

MAIN = """param name string
module insights 'core/insights.bicep' = {
  params: {
    name: name
  }
}
"""
INSIGHTS = """param name string
param dashboard string = ''
module board 'board.bicep' = if (!empty(dashboard)) {
  params: {
    name: dashboard
  }
}
"""
BOARD = "resource board 'Microsoft.Portal/dashboards@2020-09-01-preview' = {\n  name: name\n}\n"


def files(main: str) -> dict[str, str]:
    """A main file with a library of two modules."""
    return {
        "infra/main.bicep": main,
        "infra/core/insights.bicep": INSIGHTS,
        "infra/core/board.bicep": BOARD,
    }


def test_a_module_behind_a_name_that_nobody_gives_is_not_reached() -> None:
    """A condition on a parameter that stays empty keeps a module out of the deployment."""
    assert unreached_files(files(MAIN)) == {"infra/core/board.bicep"}


def test_a_name_that_is_given_reaches_the_module() -> None:
    """A value for the parameter puts the module into the deployment."""
    main = MAIN.replace("name: name", "name: name\n    dashboard: 'board'")
    assert not unreached_files(files(main))


def test_a_file_that_nothing_refers_to_is_not_reached() -> None:
    """A file of a library that no module statement names is not deployed."""
    assert "infra/core/lone.bicep" in unreached_files(
        files(MAIN) | {"infra/core/lone.bicep": BOARD}
    )


def test_without_a_main_file_everything_may_be_deployed() -> None:
    """Where no main file stands, nothing is known to be left out."""
    assert not unreached_files({"a.bicep": INSIGHTS, "board.bicep": BOARD})


def test_modules_in_a_circle_come_to_an_end() -> None:
    """Files that refer to each other are walked once."""
    circle = "module other 'b.bicep' = {}\n", "module other 'a.bicep' = {}\n"
    main = "module first 'a.bicep' = {}\n"
    found = unreached_files({"main.bicep": main, "a.bicep": circle[0], "b.bicep": circle[1]})
    assert not found


@given(st.text(alphabet="module' =!{}()\n:a.bicepifprm[]", max_size=300))
def test_arbitrary_text_never_raises(text: str) -> None:
    """Any text is read to some answer."""
    assert unreached_files({"main.bicep": text, "a.bicep": text}) <= {"main.bicep", "a.bicep"}
