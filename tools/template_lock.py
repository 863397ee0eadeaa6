"""Writes template/uv.lock.jinja: one lock over all that any choice of the template can bring.

A generated project gets it with its own name; its `make setup` prunes what was not chosen and
keeps the pins. So a first set-up installs the versions that the template was tested with.

    python tools/template_lock.py            keep the pins, add what is new
    python tools/template_lock.py --upgrade  newest versions
    python tools/template_lock.py --check    fail if the lock does not cover the template
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

from copier import run_copy

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "template" / "uv.lock.jinja"
NAME = "demand-forecast"
PLACEHOLDER = "{{ project_slug }}"

# Together these bring every dependency that can be chosen: a new choice is a new line.
ANSWERS: tuple[dict[str, object], ...] = (
    {"maturity_level": 2},
    {"maturity_level": 3},
    {"maturity_level": 5},
    {"maturity_level": 3, "validator": "pandera"},
    {"tracker": "mlflow"},
    {"tracker": "wandb"},
    {"tracker": "comet"},
    {"remote": "s3"},
    {"remote": "gs"},
    {"remote": "azure"},
    {"remote": "ssh"},
    {"maturity_level": 4, "registry": "mlflow"},
    {"maturity_level": 4, "docs": "sphinx"},
    {"maturity_level": 3, "drift": "evidently"},
    {"maturity_level": 4, "orchestrator": "airflow"},
    {"maturity_level": 4, "orchestrator": "dagster"},
    {"maturity_level": 4, "orchestrator": "zenml"},
    {"maturity_level": 4, "scale": "dask"},
)
# Choices that want older versions, of this package and of what it needs, than the others have. A
# project has one of them at most, so each is locked by itself.
APART = {"fastapi": ("apache-airflow", "zenml")}


def render(answers: dict[str, object], destination: Path) -> dict[str, object]:
    """Generates a project and returns what its pyproject.toml says."""
    run_copy(str(ROOT), destination, data=answers, defaults=True, quiet=True, vcs_ref="HEAD")
    return tomllib.loads((destination / "pyproject.toml").read_text(encoding="utf-8"))


def take(package: str, places: Iterable[list[str] | set[str]]) -> set[str]:
    """Takes what is asked of a package out of the places where it is asked."""
    found = set()
    for place in places:
        for one in [asked for asked in place if re.split(r"[\[<>=~]", asked)[0] == package]:
            place.remove(one)
            found.add(one)
    return found


def union(projects: list[dict[str, object]]) -> str:
    """A pyproject.toml with the dependencies and groups of all projects.

    What two answers ask for in different ranges is locked once for each, in groups of which a
    project can have one: so each answer finds the version that it was tested with.
    """
    dependencies: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = {}
    for project in projects:
        for asked in project["project"]["dependencies"]:  # type: ignore[index]
            dependencies.setdefault(re.split(r"[\[<>=~]", asked)[0], set()).add(asked)
        for name, members in project["dependency-groups"].items():  # type: ignore[attr-defined]
            groups.setdefault(name, set()).update(members)
    requires = projects[0]["project"]["requires-python"]  # type: ignore[index]
    ranges = {name: sorted(asked) for name, asked in sorted(dependencies.items()) if len(asked) > 1}
    every = sorted(one for asked in dependencies.values() if len(asked) == 1 for one in asked)
    conflicts = []
    for package, asked in ranges.items():
        names = [f"{package}-{number}" for number, _ in enumerate(asked)]
        groups |= {name: {one} for name, one in zip(names, asked, strict=True)}
        conflicts.append("[" + ", ".join(f'{{group = "{name}"}}' for name in names) + "]")
    for package, choices in APART.items():
        names = (package, *choices)
        asked_for = {name: take(name, [every, *groups.values()]) for name in names}
        groups |= {name: asked_for[name] | asked_for[package] for name in names}
        conflicts.append("[" + ", ".join(f'{{group = "{name}"}}' for name in names) + "]")
    lines = [
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "[project]",
        f'name = "{NAME}"',
        'version = "0.1.0"',
        f'requires-python = "{requires}"',
        f"dependencies = {every}",
        "[dependency-groups]",
        *(f"{name} = {sorted(members)}" for name, members in sorted(groups.items())),
        "[tool.uv]",
        f"conflicts = [{', '.join(conflicts)}]",
    ]
    return "\n".join(lines) + "\n"


def lock(*, upgrade: bool) -> str:
    """The lock's text for the template as it is now."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        projects = [render(answers, folder / str(number)) for number, answers in enumerate(ANSWERS)]
        (folder / "pyproject.toml").write_text(union(projects), encoding="utf-8")
        if LOCK.exists() and not upgrade:
            pins = LOCK.read_text(encoding="utf-8").replace(PLACEHOLDER, NAME)
            (folder / "uv.lock").write_text(pins, encoding="utf-8")
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
        text = (folder / "uv.lock").read_text(encoding="utf-8")
    return re.sub(rf'(?m)^name = "{NAME}"$', f'name = "{PLACEHOLDER}"', text)


def main() -> int:
    """Writes or checks the lock."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--upgrade", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    text = lock(upgrade=given.upgrade)
    if given.check:
        if not LOCK.exists() or LOCK.read_text(encoding="utf-8") != text:
            print(
                f"{LOCK.relative_to(ROOT)} does not cover the template: run python {sys.argv[0]}",
                file=sys.stderr,
            )
            return 1
        return 0
    LOCK.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
