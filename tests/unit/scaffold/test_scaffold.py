"""new, fix and upgrade over a tiny template in a git repository of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlops_audit.cli import _group
from mlops_audit.practices import catalogue
from mlops_audit.scaffold import ScaffoldError, fix
from mlops_audit.scaffold.fix import Offer, write
from mlops_audit.scaffold.upgrade import read_answers

pytest.importorskip("copier")

ROOT = Path(__file__).resolve().parents[3]
QUESTIONS = """\
_subdirectory: template
_templates_suffix: .jinja
project_name: {type: str, default: Demo}
package_name: {type: str, default: demo}
maturity_level: {type: int, choices: [1, 2], default: 1}
_exclude: ["{% if maturity_level < 2 %}extra.txt{% endif %}"]
"""


def git(folder: Path, *arguments: str) -> None:
    """Run git with an identity of its own."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, message: str) -> None:
    """Commit everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", message)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template with one release."""
    folder = tmp_path / "template source"
    (folder / "template").mkdir(parents=True)
    (folder / "copier.yml").write_text(QUESTIONS)
    answers = "{{ _copier_answers|to_nice_yaml -}}\n"
    (folder / "template" / "{{ _copier_conf.answers_file }}.jinja").write_text(answers)
    (folder / "template" / "notes.md").write_text("# Notes\n\none\ntwo\nthree\nfour\nfive\n")
    (folder / "template" / "extra.txt").write_text("level two\n")
    git(tmp_path, "init", "-q", str(folder))
    commit(folder, "first")
    git(folder, "tag", "v1.0.0")
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A committed project of the first release."""
    folder = tmp_path / "a project"
    assert run("new", str(folder), "--defaults", "--source", str(template)).exit_code == 0
    git(tmp_path, "init", "-q", str(folder))
    commit(folder, "generated")
    return folder


def run(*arguments: str) -> Result:
    """Call the command line in this process."""
    return CliRunner().invoke(_group, arguments)


def release(template: Path, old: str, new: str) -> None:
    """Change the template's notes and release it."""
    path = template / "template" / "notes.md"
    path.write_text(path.read_text().replace(old, new))
    commit(template, "second")
    git(template, "tag", "v1.1.0")


def test_new_generates_and_keeps_what_is_there(template: Path, tmp_path: Path) -> None:
    """A file that exists in the destination is left as it is, and counted."""
    folder = tmp_path / "existing"
    folder.mkdir()
    (folder / "notes.md").write_text("mine\n")
    result = run("new", str(folder), "--defaults", "--source", str(template))
    assert result.exit_code == 0, result.output
    assert (folder / "notes.md").read_text() == "mine\n"
    assert read_answers(folder).source == str(template)
    assert "1 files that were there" in result.output


def test_a_refused_answer_is_one_line(template: Path, tmp_path: Path) -> None:
    """An answer that the template refuses ends with exit code 2 and no traceback."""
    result = run("new", str(tmp_path / "x"), "--source", str(template), "--level", "7")
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert "maturity_level" in result.output


def test_upgrade_brings_the_release_and_keeps_edits(template: Path, project: Path) -> None:
    """A later release is applied to the work tree, a person's edit elsewhere stays."""
    (project / "notes.md").write_text((project / "notes.md").read_text() + "my line\n")
    commit(project, "edit")
    release(template, "one\n", "ONE\n")
    result = run("upgrade", str(project))
    assert result.exit_code == 0, result.output
    text = (project / "notes.md").read_text()
    assert "ONE\n" in text
    assert "my line\n" in text
    commit(project, "upgraded")
    again = run("upgrade", str(project))
    assert again.exit_code == 0
    assert "Nothing to do" in again.output


def test_a_conflict_is_exit_code_one_and_changes_nothing(template: Path, project: Path) -> None:
    """Where one line changed on both sides, the project is untouched and the file named."""
    path = project / "notes.md"
    path.write_text(path.read_text().replace("three", "mine"))
    commit(project, "edit")
    before = path.read_text()
    release(template, "three", "theirs")
    result = run("upgrade", str(project))
    assert result.exit_code == 1
    assert "conflict: notes.md" in result.output
    assert path.read_text() == before


def test_upgrade_climbs_a_level(project: Path) -> None:
    """`--level` answers the template's question and brings that level's files."""
    result = run("upgrade", str(project), "--level", "2")
    assert result.exit_code == 0, result.output
    assert (project / "extra.txt").read_text() == "level two\n"
    assert read_answers(project).level == 2


def test_upgrade_refuses_uncommitted_changes(project: Path) -> None:
    """Changes that are not committed could be lost, so the call is refused with what to do."""
    (project / "notes.md").write_text("changed\n")
    result = run("upgrade", str(project))
    assert result.exit_code != 0
    assert "not committed" in result.output


def test_a_folder_without_answers_is_no_project(tmp_path: Path) -> None:
    """The message says that the folder was not made from the template."""
    with pytest.raises(ScaffoldError, match="not made from the template"):
        read_answers(tmp_path)


def test_fix_never_writes_over_a_file(tmp_path: Path) -> None:
    """Only the file that does not exist is written, and named."""
    (tmp_path / "a.txt").write_text("mine")
    offered = [
        Offer("a.txt", ("AUT01",), b"theirs", exists=True),
        Offer("sub/b.txt", ("AUT01",), b"new\n", exists=False),
    ]
    assert write(str(tmp_path), offered) == ("sub/b.txt",)
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert (tmp_path / "sub" / "b.txt").read_text() == "new\n"


def test_a_folder_that_a_practice_names_stands_for_its_files(tmp_path: Path) -> None:
    """A practice may name a folder of tests: each file in it is offered."""
    for name in ("tests/behaviour/test_a.py", "tests/behaviour/deep/test_b.py", "Makefile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    assert fix._files(tmp_path, "tests/behaviour") == [  # noqa: SLF001 -- what `offers` asks
        "tests/behaviour/deep/test_b.py",
        "tests/behaviour/test_a.py",
    ]
    assert fix._files(tmp_path, "Makefile") == ["Makefile"]  # noqa: SLF001 -- the same
    assert fix._files(tmp_path, "absent") == []  # noqa: SLF001 -- the same


def test_another_answer_s_file_stands_in_for_a_named_one(tmp_path: Path) -> None:
    """Only where the named one is not there."""
    (tmp_path / ".gitlab-ci.yml").write_text("test:\n  script: make test\n")
    name = ".github/workflows/ci.yml"
    assert fix._provided(tmp_path, name, "x") == [".gitlab-ci.yml"]  # noqa: SLF001 -- the same
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / name).write_text("on: push\n")
    assert fix._provided(tmp_path, name, "x") == [name]  # noqa: SLF001 -- the same


def test_stand_ins_are_files_of_the_template_for_what_practices_name() -> None:
    """The table names nothing that is not there."""
    template = ROOT / "template"
    there = {
        path.relative_to(template).as_posix().replace("{{ package_name }}", "<package>")
        for path in template.rglob("*")
    }
    there |= {name.removesuffix(".jinja") for name in there}
    named = {name for practice in catalogue() for name in practice.fix.template}
    assert set(fix.INSTEAD) <= there & named
    assert {name for names in fix.INSTEAD.values() for name in names} <= there
