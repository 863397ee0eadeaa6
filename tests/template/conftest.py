"""A template repository made from the work tree, and projects generated from it.

Copier and cookiecutter render what git holds, so the tests commit the work tree's template into a
repository of their own: they then test what lies on disk, whatever HEAD is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest
from tests.template.prepared import Prepared, Used, prepare
from tests.template.support import PARTS, ROOT, Template, run


@pytest.fixture(scope="session", autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The tools of this environment first, and no trace of this machine's git configuration."""
    home = tmp_path_factory.mktemp("home")
    (home / "gitconfig").write_text(
        "[user]\nname = Somebody\nemail = somebody@example.org\n[init]\ndefaultBranch = main\n"
        '[protocol "file"]\nallow = always\n',
        encoding="utf-8",
    )
    (home / "cookiecutter.yaml").write_text(
        f"cookiecutters_dir: {home / 'cookiecutters'}\nreplay_dir: {home / 'replay'}\n",
        encoding="utf-8",
    )
    os.environ["PATH"] = os.pathsep.join([str(ROOT / ".venv/bin"), os.environ["PATH"]])
    os.environ["GIT_CONFIG_GLOBAL"] = str(home / "gitconfig")
    os.environ["COOKIECUTTER_CONFIG"] = str(home / "cookiecutter.yaml")
    os.environ.pop("VIRTUAL_ENV", None)


MakeTemplate = Callable[[], Template]


@pytest.fixture(scope="session")
def make_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Template]:
    """Makes a template repository of its own for a test that changes it."""

    def make() -> Template:
        folder = tmp_path_factory.mktemp("source") / "template"
        folder.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
            copy(ROOT / part, folder / part)
        run("git", "init", "--quiet", cwd=folder)
        template = Template(folder)
        template.release("v1.0.0")
        return template

    return make


@pytest.fixture(scope="session")
def template(make_template: Callable[[], Template]) -> Template:
    """The template as it lies on disk, for tests that only read it."""
    return make_template()


@pytest.fixture(scope="session")
def prepared(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Projects by the names of `CASES`, in folders with a space in their names, made on demand."""
    made: dict[str, Used] = {}

    def get(name: str) -> Used:
        if name not in made:
            folder = tmp_path_factory.mktemp("made") / "with space"
            made[name] = prepare(template, name, folder)
        return made[name]

    return get
