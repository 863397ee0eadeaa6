"""`mlops-audit upgrade` in use: a climb through all levels, and releases of the past."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.template.support import PARTS, ROOT, Template, commit, run

from mlops_audit import check
from mlops_audit.model import Outcome

pytestmark = pytest.mark.slow

PACKAGE = "src/demand_forecast"
# What a person does to a file: a line of it changed, or words put at its end.
Edit = tuple[str, str]
END = ""

OUR_TEST = '''"""Ours."""


def test_ours() -> None:
    """Ours."""
    assert "ours".isalpha()
'''

# The edits at each level, before the climb to the next.
EDITS: dict[int, dict[str, Edit]] = {
    1: {
        "README.md": ("Needs git, make and", "It is ours. Needs git, make and"),
        "params.yaml": (END, "\n# Ours, read by nothing of the template.\nours:\n  setting: 1\n"),
        f"{PACKAGE}/data/schema.py": (END, '\n\nOURS = "a constant of ours"\n'),
    },
    2: {
        "pyproject.toml": (END, "\n[tool.ours]\nkey = 1\n"),
        ".gitignore": (END, "\n/ours/\n"),
        "CONTRIBUTING.md": (END, "\n## How we do it\nIn pairs.\n"),
        "Makefile.local": (END, "ours: ## Ours\n\t@echo ours\n"),
    },
    3: {
        "references/data_dictionary.md": (END, "\nThe column `hour` is local time, we asked.\n"),
        "docs/runbook.md": (END, "\n## Our own procedure\nCall the owner of the docks.\n"),
        "CHANGELOG.md": (END, "\n## 0.1.0\n- Ours.\n"),
    },
    4: {
        "dvc.yaml": (END, "\nvars:\n  - own_setting: 1\n"),
        f"{PACKAGE}/log.py": (END, "\n\n# Ours: ask the platform team before you change it.\n"),
        "tests/unit/test_ours.py": (END, OUR_TEST),
    },
}

# In a project of a release that had no place for them, own lines stand anywhere but at the end.
IN_THE_MIDDLE: dict[str, Edit] = {
    "params.yaml": ("# What people change", "# Ours: asked the owner.\n# What people change"),
    "pyproject.toml": ("[project]", "# Ours: the name is taken.\n[project]"),
}

# Commits of this repository whose template worked, as if they had been releases; the level
# and the answers that a project of theirs began with, and those that the update changes.
Answers = dict[str, object]
RELEASES: dict[str, tuple[Answers, Answers]] = {
    "cc5248a": ({"maturity_level": 3}, {"maturity_level": 4}),
    "1d29071": ({"maturity_level": 4, "license": "MIT"}, {"description": "Our own words now."}),
    "7fa411e": ({"maturity_level": 5}, {"author_name": "Another team"}),
}


def edit(project: Path, edits: Mapping[str, Edit]) -> None:
    """Makes a person's edits."""
    for name, (old, new) in edits.items():
        path = project / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")


def assert_kept(project: Path, edits: Mapping[str, Edit]) -> None:
    """Every edit is still there, and nothing is in conflict."""
    for name, (_, new) in edits.items():
        assert new.strip() in (project / name).read_text(encoding="utf-8"), name
    marks = ("git", "grep", "--untracked", "-l", "-E", "^(<<<<<<<|>>>>>>>)")
    assert not run(*marks, cwd=project, status=None).stdout
    assert not list(project.glob("**/*.rej"))


def upgrade(project: Path, *options: str) -> str:
    """What `mlops-audit upgrade` says; its exit code is 0."""
    command = (sys.executable, "-m", "mlops_audit", "upgrade", *options, str(project))
    return run(*command, cwd=project).stdout


def assert_level(project: Path, level: int) -> None:
    """Exactly that level, by evidence alone, and no should left but what needs others or a run."""
    report = check(str(project))
    assert report.assessment.level.reached == level, report.assessment.level.blocking
    assert not report.attestations
    for finding in report.findings:
        asked = any(ask.level <= level for ask in finding.practice.asked)
        if asked and finding.practice.id not in {"VER03", "TRK06", "REP09", "REP10"}:
            said = f"{finding.practice.id}: {finding.verdict.reason}"
            assert finding.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}, said


def test_a_project_climbs_from_level_1_to_5(template: Template, tmp_path: Path) -> None:
    """Each level is reached by its name alone, with a person's edits at every step kept."""
    project = template.generate(tmp_path / "with space", {"maturity_level": 1})
    edits: dict[str, Edit] = {}
    for level in (1, 2, 3, 4, 5):
        if level > 1:
            upgrade(project, "--level", str(level))
            assert_kept(project, edits)
        run("make", "setup", "pipeline" if level > 1 else "train", cwd=project)
        new = EDITS.get(level, {})
        edit(project, new)
        edits |= new
        commit(project, f"Level {level}")
    assert len(edits) > 8
    run("make", "setup", "pipeline", "lint", "test", cwd=project)
    assert not run("git", "status", "--porcelain", cwd=project).stdout
    assert_kept(project, edits)
    assert_level(project, 5)


def locked(project: Path, package: str) -> set[str]:
    """The versions of a package in a project's lock."""
    lock = tomllib.loads((project / "uv.lock").read_text(encoding="utf-8"))
    return {entry["version"] for entry in lock["package"] if entry["name"] == package}


def test_new_packages_come_in_the_versions_that_the_template_ships(
    make_template: Callable[[], Template], tmp_path: Path
) -> None:
    """Also an older one; and what the project has locked by itself keeps its version."""
    template = make_template()
    older = template.generate(tmp_path / "older", {"maturity_level": 3})
    pin = "--upgrade-package=prometheus-client==0.21.0"
    run("uv", "lock", "--quiet", pin, cwd=older)
    text = (older / "uv.lock").read_text(encoding="utf-8")
    shipped = re.sub('(?m)^name = "demand-forecast"$', 'name = "{{ project_slug }}"', text)
    (template.path / "template/uv.lock.jinja").write_text(shipped, encoding="utf-8")
    template.release("v2.0.0")
    project = template.generate(tmp_path / "project", {"maturity_level": 2})
    run("git", "init", "--quiet", cwd=project)
    run("uv", "lock", "--quiet", "--upgrade-package=pyyaml==6.0.2", cwd=project)
    assert not locked(project, "prometheus-client")
    commit(project)
    upgrade(project, "--level", "3")
    run("uv", "lock", "--quiet", cwd=project)
    assert locked(project, "prometheus-client") == {"0.21.0"}
    assert locked(project, "pyyaml") == {"6.0.2"}
    assert locked(project, "great-expectations") == locked(older, "great-expectations")
    commit(project)
    assert "Nothing to do" in upgrade(project)


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Template]:
    """The template as a commit of the past had it, as the release before the work tree's."""
    archive = subprocess.run(
        ["git", "archive", request.param, *PARTS], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"the history does not reach back to {request.param}")
    source = Template(tmp_path / "template")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(source.path, filter="data")
    run("git", "init", "--quiet", cwd=source.path)
    source.release("v1.0.0")
    return request.param, source


def renew(source: Template) -> None:
    """Releases the work tree's template."""
    for part in PARTS:
        path = source.path / part
        remove: Callable[[Path], object] = shutil.rmtree if path.is_dir() else os.remove
        remove(path)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        copy(ROOT / part, path)
    source.release("v2.0.0")


def test_a_release_of_the_past_is_brought_up_to_date(
    release: tuple[str, Template], tmp_path: Path
) -> None:
    """Edits, deletions and changed answers survive, a second update does nothing, all is green."""
    name, source = release
    answers, changed = RELEASES[name]
    project = source.generate(tmp_path / "with space", answers)
    run("git", "init", "--quiet", cwd=project)
    commit(project)
    edits = {k: v for level in (1, 2, 3) for k, v in EDITS[level].items()}
    edits |= IN_THE_MIDDLE
    edit(project, edits)
    (project / "AGENTS.md").unlink()
    (project / "compose.yaml").unlink()
    (project / f"{PACKAGE}/ours.py").write_text('"""Ours."""\n', encoding="utf-8")
    commit(project, "Ours")
    renew(source)
    data = [f"--data={key}={value}" for key, value in changed.items()]
    upgrade(project, *data)
    assert_kept(project, edits)
    assert (project / f"{PACKAGE}/ours.py").is_file()
    assert not (project / "AGENTS.md").exists()
    assert not (project / "compose.yaml").exists()
    told = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    for key, value in changed.items():
        assert re.search(f"(?m)^{key}: {re.escape(str(value))}$", told)
    commit(project, "Up to date")
    assert "Nothing to do" in upgrade(project)
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""
    run("make", "setup", "pipeline", "lint", "test", cwd=project)


def test_an_existing_repository_is_adopted_file_by_file(tmp_path: Path) -> None:
    """Copied over what is there, no byte of it changes; copier by itself stops and asks."""
    mine = {
        "README.md": "# Mine\n",
        "Makefile": "all:\n\t@echo mine\n",
        "pyproject.toml": '[project]\nname = "mine"\nversion = "1"\n',
        "src/demand_forecast/__init__.py": '"""Mine."""\n',
        "data/README.md": "Mine.\n",
        ".gitignore": "mine\n",
    }
    project = tmp_path / "existing"
    for name, text in mine.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    run("git", "init", "--quiet", cwd=project)
    commit(project)
    source = tmp_path / "template"
    source.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        copy(ROOT / part, source / part)
    run("git", "init", "--quiet", cwd=source)
    Template(source).release("v1.0.0")
    asked = run("copier", "copy", "--defaults", source, project, cwd=tmp_path, status=None)
    assert asked.returncode != 0
    assert {name: (project / name).read_text("utf-8") for name in mine} == mine
    new = (sys.executable, "-m", "mlops_audit", "new", "--defaults", "--source", str(source))
    run(*new, "--level", "5", project, cwd=tmp_path)
    assert {name: (project / name).read_text("utf-8") for name in mine} == mine
    assert (project / "dvc.yaml").is_file()
    changed = run("git", "status", "--porcelain", cwd=project).stdout.splitlines()
    assert all(line.startswith("??") for line in changed)
