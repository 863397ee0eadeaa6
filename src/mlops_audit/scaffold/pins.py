"""The versions that the template was tested with, for packages that an upgrade newly asks for.

A project's lock holds what it has chosen, pruned by its first set-up: an update finds nothing to
change in it, so that the next `uv lock` would take the newest versions of all that is new. Here
the new packages' entries of the template's own lock are added; `uv lock` keeps their versions. What
the project has locked itself stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import tomli
import yaml

from mlops_audit.regex import regex
from mlops_audit.scaffold.errors import copier_errors

__all__ = ["add_pins", "with_pins"]

_LOCK, _PROJECT, _ANSWERS = "uv.lock", "pyproject.toml", ".copier-answers.yml"
_ASKED = regex(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_ENTRY = regex(r"(?m)^\[\[package\]\]\n")
# What names a version and where it comes from; what it depends on, `uv lock` finds out anew.
_KEPT = regex(
    r"(?ms)^(?:(?:name|version|source|sdist) = [^\n]*|(?:wheels|resolution-markers) = \[.*?^\])$"
)


def add_pins(project: Path, scratch: Path) -> None:
    """Add to a project's lock, after an update of its template, what the template pins anew.

    Args:
        project: the updated project; one without a lock is left alone.
        scratch: an empty folder, into which the template is generated with the same answers.
    """
    lock = project / _LOCK
    if not lock.is_file() or not (project / _PROJECT).is_file():
        return
    answers = yaml.safe_load((project / _ANSWERS).read_text(encoding="utf-8"))
    given = {k: v for k, v in answers.items() if not k.startswith("_")}
    with copier_errors():
        from copier import run_copy  # noqa: PLC0415 -- an extra, and a second to import

        run_copy(
            str(answers["_src_path"]), scratch, data=given, defaults=True, quiet=True,
            vcs_ref=str(answers["_commit"]),
        )  # fmt: skip
    shipped = scratch / _LOCK
    if not shipped.is_file():
        return
    own = lock.read_text(encoding="utf-8")
    asked = (project / _PROJECT).read_text(encoding="utf-8")
    told = with_pins(own, shipped.read_text(encoding="utf-8"), asked)
    if told != own:
        lock.write_text(told, encoding="utf-8", newline="\n")


def with_pins(own: str, shipped: str, project: str) -> str:
    """A lock's text, with the entries of another for what a pyproject.toml asks for and it lacks.

    A file that is no TOML (a conflict, a person's own format) changes nothing.
    """
    try:
        mine, theirs, asks = (tomli.loads(text) for text in (own, shipped, project))
    except tomli.TOMLDecodeError:
        return own
    known = {str(entry.get("name")) for entry in mine.get("package", ())}
    needs: dict[str, set[str]] = {}
    for entry in theirs.get("package", ()):
        name = entry["name"]
        needs.setdefault(name, set()).update(_named(entry.get("dependencies", ())))
        for extra, group in entry.get("optional-dependencies", {}).items():
            needs.setdefault(f"{name}[{extra}]", set()).update(_named(group))
    wanted = _reached(_asked(asks), needs) - known
    added = [
        "\n".join(["[[package]]", *_KEPT.findall(text)])
        for text in _ENTRY.split(shipped)[1:]
        if (name := re.match(r'name = "([^"]+)"', text)) and name[1] in wanted
    ]
    return own if not added else "\n\n".join([own.rstrip("\n"), *added]) + "\n"


def _named(group: Iterable[dict[str, object]]) -> Iterator[str]:
    """The packages of a list in a lock, and each `package[extra]` that is asked for."""
    for item in group:
        yield str(item["name"])
        extras = item.get("extra")
        if isinstance(extras, list):
            yield from (f"{item['name']}[{extra}]" for extra in extras)


def _asked(project: dict[str, object]) -> set[str]:
    """The packages, and each `package[extra]`, that a pyproject.toml names, normalised."""
    table = project.get("project", {})
    groups = project.get("dependency-groups", {})
    lists: list[object] = [table.get("dependencies", [])] if isinstance(table, dict) else []
    lists += groups.values() if isinstance(groups, dict) else []
    found: set[str] = set()
    for word in (word for one in lists if isinstance(one, list) for word in one):
        if isinstance(word, str) and (said := _ASKED.match(word)):
            name = re.sub(r"[._-]+", "-", said[1]).lower()
            found |= {name, *(f"{name}[{e.strip()}]" for e in (said[2] or "").split(",") if e)}
    return found


def _reached(start: Iterable[str], needs: dict[str, set[str]]) -> set[str]:
    found, waiting = set(start), list(start)
    while waiting:
        new = needs.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
