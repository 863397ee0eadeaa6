"""Updates keep what people have made of their project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined
from tests.template.support import ROOT, Template, commit, run

EDITS = {
    "README.md": "\nOur own words.\n",
    "params.yaml": "\nours:\n  setting: 1\n",
    "dvc.yaml": "\nvars:\n  - ours: 1\n",
    "pyproject.toml": "\n[tool.ours]\nkey = 1\n",
    ".gitignore": "\nours/\n",
    "CHANGELOG.md": "\n## 0.0.1\n- Ours.\n",
    "CONTRIBUTING.md": "\n## Ours\n",
    ".pre-commit-config.yaml": "      - {id: ours, name: ours, entry: make, language: system}\n",
    "Makefile.local": "ours:\n\t@echo ours\n",
    "src/demand_forecast/data/schema.py": "\nOURS = 1\n",
}


def edited_project(template: Template, folder: Path) -> Path:
    """A project with a person's lines in many files, one file deleted and one added."""
    project = template.generate(folder)
    run("git", "init", "--quiet", cwd=project)
    commit(project)
    for name, text in EDITS.items():
        path = project / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(before + text, encoding="utf-8")
    (project / "AGENTS.md").unlink()
    (project / "src/demand_forecast/ours.py").write_text('"""Ours."""\n', encoding="utf-8")
    commit(project, "Ours")
    return project


def assert_kept(project: Path) -> None:
    """Every edit is still there, and no conflict is."""
    for name, text in EDITS.items():
        assert text.strip() in (project / name).read_text(encoding="utf-8"), name
    assert (project / "src/demand_forecast/ours.py").is_file()
    assert not (project / "AGENTS.md").exists()
    assert not list(project.rglob("*.rej"))
    assert not run("git", "diff", "--name-only", "--diff-filter=U", cwd=project).stdout
    marks = ("git", "grep", "-l", "-E", "^(<<<<<<<|>>>>>>>)")
    assert not run(*marks, cwd=project, status=None).stdout


def test_an_update_brings_the_new_and_keeps_the_own(
    make_template: Callable[[], Template], tmp_path: Path
) -> None:
    """Changed lines arrive beside a person's edits; a second update changes nothing."""
    template = make_template()
    project = edited_project(template, tmp_path / "project")
    for name, old, new in (
        ("README.md.jinja", "## Set up", "## Begin"),
        ("Makefile.jinja", "## Run the tests", "## Run all tests"),
        ("params.yaml.jinja", "# What people change", "# All that people change"),
        ("CHANGELOG.md.jinja", "# Changelog", "# History"),
        ("pyproject.toml.jinja", '"pandas>=2.2,<4"', '"pandas>=3,<4"'),
    ):
        path = template.path / "template" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    template.release("v2.0.0")
    run("copier", "update", "--defaults", "--quiet", cwd=project)
    assert_kept(project)
    assert "## Begin" in (project / "README.md").read_text(encoding="utf-8")
    assert "pandas>=3,<4" in (project / "pyproject.toml").read_text(encoding="utf-8")
    # The changelog is the people's from the first day on.
    assert "# Changelog" in (project / "CHANGELOG.md").read_text(encoding="utf-8")
    commit(project, "Update")
    run("copier", "update", "--defaults", "--quiet", cwd=project)
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""


def test_what_is_left_out_can_be_told_without_later_questions() -> None:
    """An update renders the exclusions for the old version too, which knew only these questions."""
    first = {
        "maturity_level": 5, "data": "bikes", "tracker": "dvclive", "remote": "local",
        "ci": "github", "license": "MIT", "package_name": "rides", "project_name": "Rides",
        "python_version": "3.11", "author_name": "We", "description": "It.", "advanced": False,
    }  # fmt: skip
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 -- no HTML
    for pattern in settings["_exclude"]:
        environment.from_string(pattern).render(first)


def test_a_project_climbs_by_an_answer(template: Template, tmp_path: Path) -> None:
    """Step by step to level 5 the new files come, a person's stay, and it is what is generated."""
    project = template.generate(tmp_path / "project", {"maturity_level": 1})
    run("git", "init", "--quiet", cwd=project)
    (project / "notes.md").write_text("Ours.\n", encoding="utf-8")
    commit(project)
    for level in (2, 3, 4, 5):
        options = ["--defaults", "--quiet", "--vcs-ref=HEAD", f"--data=maturity_level={level}"]
        run("copier", "update", *options, cwd=project)
        expected = template.generate(tmp_path / f"expected-{level}", {"maturity_level": level})
        for path in expected.rglob("*"):
            if path.is_file():
                name = path.relative_to(expected)
                assert (project / name).read_bytes() == path.read_bytes(), name
        assert (project / "notes.md").is_file()
        commit(project, f"Level {level}")


def test_on_off_on_ends_where_it_began(template: Template, tmp_path: Path) -> None:
    """Level 2 to 1 and back: every file of the level goes and comes back."""
    project = template.generate(tmp_path / "project")
    run("git", "init", "--quiet", cwd=project)
    commit(project)
    before = run("git", "rev-parse", "HEAD^{tree}", cwd=project).stdout
    for level in (1, 2):
        options = ["--defaults", "--quiet", "--vcs-ref=HEAD", f"--data=maturity_level={level}"]
        run("copier", "update", *options, cwd=project)
        assert (project / "uv.lock").exists() == (level == 2)
        commit(project, f"Level {level}")
    assert run("git", "rev-parse", "HEAD^{tree}", cwd=project).stdout == before
