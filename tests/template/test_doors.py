"""The two doors, copier and cookiecutter, lead to the same project."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.template.support import ROOT, Template, commit, run

ANSWERS = {"project_name": "Rides", "author_name": "Zoë O'Neil", "license": "MIT", "data": "own"}
FOLDER = "rides"


def tree(project: Path) -> dict[str, bytes]:
    """All files, without the two lines that say where the project came from."""
    paths = [path for path in project.rglob("*") if path.is_file()]
    files = {str(path.relative_to(project)): path.read_bytes() for path in paths}
    lines = files[".copier-answers.yml"].splitlines(keepends=True)
    files[".copier-answers.yml"] = b"".join(
        line for line in lines if not line.startswith((b"_src_path", b"_commit"))
    )
    return files


def source_of(project: Path) -> str:
    """Where the project's answers say that it came from."""
    lines = (project / ".copier-answers.yml").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("_src_path")).removeprefix("_src_path: ")


def through_cookiecutter(source: str | Path, cwd: Path, *options: str) -> Path:
    """A project through the cookiecutter door, in cwd/out."""
    answers = [f"{name}={value}" for name, value in ANSWERS.items()]
    command = ["cookiecutter", "--no-input", "--output-dir=out", *options, source, *answers]
    run(*command, cwd=cwd, env={"PWD": str(cwd)})
    return cwd / "out" / FOLDER


def test_cookiecutter_json_is_in_step() -> None:
    """The questions stand in copier.yml alone."""
    run(sys.executable, "tools/cookiecutter_json.py", "--check", cwd=ROOT)


@pytest.mark.parametrize("way", ["absolute", "relative", "url", "tag"])
def test_both_doors_give_the_same_project(way: str, template: Template, tmp_path: Path) -> None:
    """From a path, a relative path, a URL and a tag: the same, with a source that lasts."""
    expected = template.generate(tmp_path / "copier", ANSWERS)
    sources: dict[str, tuple[str | Path, list[str]]] = {
        "absolute": (template.path, []),
        "relative": (os.path.relpath(template.path, tmp_path), []),
        "url": (f"git+{template.path.as_uri()}", []),
        "tag": (template.path, ["--checkout=v1.0.0"]),
    }
    source, options = sources[way]
    project = through_cookiecutter(source, tmp_path, *options)
    assert tree(project) == tree(expected)
    assert source_of(project) == (source if way == "url" else str(template.path))


def test_a_project_from_cookiecutter_can_be_updated(
    make_template: Callable[[], Template], tmp_path: Path
) -> None:
    """A relative source and all: a later version of the template arrives by `copier update`."""
    template = make_template()
    project = through_cookiecutter(os.path.relpath(template.path, tmp_path), tmp_path)
    run("git", "init", "--quiet", cwd=project)
    commit(project)
    (template.path / "template/NEWS.md").write_text("New in version 2.\n", encoding="utf-8")
    template.release("v2.0.0")
    run("copier", "update", "--defaults", "--quiet", cwd=project)
    assert (project / "NEWS.md").is_file()


def test_an_archive_generates_and_says_that_it_cannot_be_updated(
    template: Template, tmp_path: Path
) -> None:
    """The files are the same, the source is the project's address, and a line says what to do."""
    run("git", "archive", "--prefix=t/", "-o", tmp_path / "t.zip", "HEAD", cwd=template.path)
    answers = [f"{name}={value}" for name, value in ANSWERS.items()]
    done = run("cookiecutter", "--no-input", "t.zip", *answers, cwd=tmp_path)
    assert "cannot be updated" in done.stdout
    assert source_of(tmp_path / FOLDER) == "https://github.com/mlops-audit/mlops-audit"
    assert tree(tmp_path / FOLDER) == tree(template.generate(tmp_path / "copier", ANSWERS))


def test_without_copier_there_is_one_line_and_no_project(
    template: Template, tmp_path: Path
) -> None:
    """Nothing is left behind that looks like a project."""
    programs = tmp_path / "bin"
    programs.mkdir()
    git = shutil.which("git")
    assert git is not None
    (programs / "git").symlink_to(git)
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide/sitecustomize.py").write_text("import sys\nsys.modules['copier'] = None\n")
    env = {"PATH": str(programs), "PYTHONPATH": str(tmp_path / "hide")}
    cookiecutter = [sys.executable, "-m", "cookiecutter", "--no-input"]
    done = run(*cookiecutter, template.path, cwd=tmp_path, env=env, status=1)
    assert "error: this template needs copier; `pip install copier`, then try again" in done.stderr
    assert not (tmp_path / "demand-forecast").exists()


def test_a_bad_answer_is_one_line_and_no_project(template: Template, tmp_path: Path) -> None:
    """What copier refuses, the door says without a traceback of copier's."""
    command = ["cookiecutter", "--no-input", str(template.path), "package_name=Bad-Name"]
    done = run(*command, cwd=tmp_path, status=1)
    assert (
        "error: Validation error for question 'package_name': Up to 40 small letters" in done.stderr
    )
    assert "_user_data.py" not in done.stderr
    assert list(tmp_path.iterdir()) == []
