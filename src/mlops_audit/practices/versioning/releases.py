"""VER06: versions of code or model that people can name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    counted,
    failed,
    hollow,
    partial,
    passed,
    unknown,
)
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = "two or more version tags, a changelog with versions, or an automated release"
# 1.2, v1.2.3, release-1.2.3, model@v1.2.3, 2024.05, 2024-05-01; a bare number is a build.
# GTO counts its tags: model@v1.2.3#4.
_TAG = regex(
    r"(?:.{0,80}[@/_-])?v?(\d{1,4}\.\d{1,4}(?:\.\d{1,6})?(?:[-+._]?[0-9A-Za-z.+-]{0,40})?|20\d\d-\d\d-\d\d)"
    r"(?:#\d{1,6})?",
    re.IGNORECASE,
)
_PLAIN = regex(r"(^|[@/-])v?\d{1,4}\.\d{1,4}[^/]*$", re.IGNORECASE)  # not `made_with_tool_1.2`
_SERIES = regex(r"\.x(?![0-9a-z])", re.IGNORECASE)  # 0.16.X: whatever comes of 0.16
_CHANGELOG = regex(
    r"(^|/)(changelog|changes|change_log|history|news|releases|release[-_]?notes)(\.(md|rst|txt|adoc))?$",
    re.IGNORECASE,
)
_ENTRY = regex(
    r"^(?:#{1,4}\s*|[-*]\s+|=+\s*)?(?:\*\*)?\[?(?:version\s+|release\s+|v\.?)?"
    r"(\d{1,4}\.\d{1,4}(?:\.\d{1,6})?(?:[-.]?(?:a|b|rc|dev|post|alpha|beta)\.?\d*)?)\]?",
    re.IGNORECASE,
)
_IN_README = regex(
    r"\W*(change[\s-]?log|release (notes|history)|version history|releases)\W*$", re.IGNORECASE
)
_VERSION = regex(
    r"""^\s*(?:__version__|version|VERSION)\s*[=:]\s*["']([0-9][\w.+-]{0,30})["']|"""
    r"""\bversion\s*=\s*["']([0-9][\w.+-]{0,30})["']""",
    re.MULTILINE,
)
_BARE = regex(r"\A()\s*v?([0-9]{1,4}(?:\.[0-9]{1,6}){1,3}[\w.+-]{0,20})\s*\Z")
_FIRST = frozenset({"0", "0.0", "0.0.0", "0.0.1", "0.1", "0.1.0", "1.0", "1.0.0", "1", "0.1.dev0"})
_FIRST_SERIES = regex(r"(0\.0\.0|0\.0\.1|0\.1\.0|0\.1|1\.0\.0|1\.0)([.-]?(dev|a|b|rc)\w*)?")
_CONFIGURED = ("cliff.toml", ".releaserc*", "release-please-config.json", ".cz.toml", ".cz.json",
               ".bumpversion.*", ".bumpversion.cfg")  # fmt: skip


@practice(
    id="VER06",
    title="Code or model has versioned releases",
    assets="code",
    level="5s",
    sources="S0",
    fix="Tag each release with a semantic version and give it a heading in CHANGELOG.md.",
    template=(
        ".github/workflows/release.yml",
        "Makefile",
        "CHANGELOG.md",
    ),
)
def releases(project: Project) -> Verdict:
    """Judge tags, changelog and release automation."""
    tags = _version_tags(project)
    if len(tags) > 1:
        plain = [name for name in tags if _PLAIN.search(name)]
        shown = plain if len(plain) > 1 else tags
        where = [Evidence(Span(f"tag:{name}"), "a version tag") for name in reversed(shown[-5:])]
        return passed(f"{len(tags)} versions are tagged, the latest {tags[-1]}", where)
    changelog, empty = _changelog(project)
    if len(changelog) > 1:
        return passed(
            f"the changelog lists {counted(changelog, 'version', 'versions')}", changelog[:5]
        )
    automated = [u.evidence() for u in project.uses("release.automate") if u.where != "file"]
    automated += list(_dynamic_version(project))
    if automated:
        return passed("a tool makes the releases", automated[:3])
    some = [Evidence(Span(f"tag:{name}"), "the only version tag") for name in tags]
    some += changelog
    some += _bumped(project)
    if some:
        return partial(
            "one version, or a version number bumped by hand, and no release history", some
        )
    if project.git is not None and project.git.shallow and not project.git.tags:
        return unknown("the clone is shallow and has no tags, so releases cannot be seen")
    configured = [
        Evidence(Span(p), "configured, run by nothing") for p in project.glob(*_CONFIGURED)
    ]
    if configured or empty:
        return hollow("no version was ever released", configured + empty, looked_for=_LOOKED_FOR)
    return failed("no version tags, no changelog with versions, no release", looked_for=_LOOKED_FOR)


def _version_tags(project: Project) -> list[str]:
    """The tags that name different versions, oldest first."""
    if project.git is None:
        return []
    found: dict[str, str] = {}
    for tag in project.git.tags:
        match = _TAG.fullmatch(tag.name)
        if match and not _SERIES.search(match[1]):
            found.setdefault(tag.name[: match.start(1)].lower() + match[1], tag.name)
    return list(found.values())


def _changelog(project: Project) -> tuple[list[Evidence], list[Evidence]]:
    """One piece of evidence a version of the best changelog, and changelogs without any."""
    best: list[Evidence] = []
    empty: list[Evidence] = []
    for path in project.paths:
        if not _CHANGELOG.search(path) or path.count("/") > 2:  # noqa: PLR2004 -- deeper ones are a part's
            continue
        entries = _entries(path, project.text(path) or "")
        if not entries:
            empty.append(Evidence(Span(path), "no version in it"))
        if len(entries) > len(best):
            best = entries
    return best or _in_readme(project), empty


def _in_readme(project: Project) -> list[Evidence]:
    """The versions in a section of the README that is a changelog."""
    readme = project.docs.readme
    sections = readme.sections if readme is not None else ()
    for number, section in enumerate(sections):
        if not _IN_README.match(section.title):
            continue
        later = (s for s in sections[number + 1 :] if s.level <= section.level)
        first = section.span.line or 1
        last = next((s.span.line or first for s in later), None)
        text = project.text(section.span.path) or ""
        found = _entries(section.span.path, text)
        return [
            e for e in found
            if first < (e.span.line or 0) and (last is None or (e.span.line or 0) < last)
        ]  # fmt: skip
    return []


def _entries(path: str, text: str) -> list[Evidence]:
    found: dict[str, Evidence] = {}
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        match = _ENTRY.match(line)
        if match is None or not _is_heading(lines, number):
            continue
        found.setdefault(match[1], Evidence(Span(path, number), f"version {match[1]}"))
    return list(found.values())


def _is_heading(lines: list[str], number: int) -> bool:
    """Whether a line is a heading: marked, underlined, in brackets, or a version standing alone."""
    line = lines[number - 1].strip()
    below = lines[number].strip() if number < len(lines) else ""
    underlined = len(below) > 2 and not below.strip(below[0]) and below[0] in "=-~^"  # noqa: PLR2004
    return line.startswith(("#", "[", "=", "**", "v", "V")) or underlined or len(line) < 30  # noqa: PLR2004


def _dynamic_version(project: Project) -> Iterator[Evidence]:
    """A version taken from git tags, if a workflow publishes it."""
    text = project.text("pyproject.toml") if project.has("pyproject.toml") else ""
    found = re.search(
        r"hatch-vcs|setuptools[-_]scm|poetry-dynamic-versioning|versioneer", text or ""
    )
    if found and (published := project.uses("package.publish", "release.automate")):
        line = (text or "").count("\n", 0, found.start()) + 1
        yield Evidence(Span("pyproject.toml", line), f"version from git tags by {found[0]}")
        yield published[0].evidence()


def _bumped(project: Project) -> list[Evidence]:
    """A version number in the metadata that has moved from where it began."""
    names = project.glob("**/pyproject.toml", "**/setup.py", "**/setup.cfg", "**/VERSION",
                         "**/VERSION.txt", "**/__init__.py", "**/_version.py",
                         "**/version.py")  # fmt: skip
    for path in names:
        if path.count("/") > 2:  # noqa: PLR2004 -- deeper ones are a part's
            continue
        text = project.text(path) or ""
        bare = path.rsplit("/", 1)[-1].upper().startswith("VERSION") and not path.endswith(".py")
        match = (_BARE if bare else _VERSION).search(text)
        if match is None:
            continue
        version = match[1] or match[2]
        line = text.count("\n", 0, match.start(1 if match[1] else 2)) + 1
        if _FIRST_SERIES.fullmatch(version) or version in _FIRST:
            continue
        return [Evidence(Span(path, line), f"version {version}")]
    return []
