"""Which files of a repository are the project's own (practices.md, rule 6).

Vendored code, agent skills, generated files and template sources are left out of every verdict,
each with a reason that the report can show; `exclude` in the configuration adds to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from mlops_audit.regex import regex
from mlops_audit.tree.ignore import IgnoreRules

__all__ = ["left_out"]

_VENDOR_FOLDERS = frozenset(
    {"vendor", "vendors", "vendored", "_vendor", "third_party", "third-party", "thirdparty",
     "3rdparty", "external_libs", "node_modules", "site-packages", "bower_components",
     ".venv", "venv", "submodules"}
)  # fmt: skip
_AGENT_FOLDERS = frozenset(
    {".claude", ".cursor", ".windsurf", ".aider", ".codex", ".gemini", ".agents", ".opencode"}
)
_GENERATED = regex(
    r"(_pb2(_grpc)?\.pyi?|\.min\.(js|css)|(^|/)\.ipynb_checkpoints/|(^|/)__pycache__/|\.egg-info/|"
    r"(^|/)\.dvc/(tmp|cache|plots)/|(^|/)versioneer\.py|/migrations/\d{4}_\w+\.py)"
)
_TEMPLATE = regex(r"(\.(jinja2?|j2|tmpl|tpl)$)|(\{\{[^}]{1,60}\}\})|(\{%[^%]{1,200}%\})")
_METADATA = ("setup.py", "pyproject.toml", "setup.cfg", "package.json", "Cargo.toml")
_LICENCES = ("LICENSE", "LICENCE", "LICENSE.txt", "LICENSE.md", "COPYING", "LICENCE.txt")
# A folder with a licence and metadata of its own is another project's only when it brings the
# bulk of one: a monorepo's package has its own metadata, and rarely its own licence.
_MIN_VENDORED = 15
_HOLDER = regex(r"^\W*(?:copyright|\(c\)|©)[^\n]{0,200}", re.IGNORECASE | re.MULTILINE)
_BLANK = regex(r"\[(?:yyyy|year|name|fullname)|<year>|copyright (?:holder|owner)|license")
_YEARS = regex(r"\b(?:19|20)\d\d\b|copyright|\(c\)|©|all rights reserved|[\W_]")
_CI = regex(
    r"\.(?:github/workflows|circleci)/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.?azure-pipelines?\.ya?ml|"
    r"Jenkinsfile|\.travis\.yml|bitbucket-pipelines\.yml|cloudbuild\.ya?ml|buildspec\.ya?ml"
)
# What a template's author leaves for whoever copies it.
_NOBODY = regex(r"<\s*your[ _-]?(?:name|e-?mail)|[\"']your name", re.IGNORECASE)
_METADATA_FILE = regex(r"(?:^|/)(?:setup|__version__|__about__|_version)\.py$")
_WORDS = 2  # that two folders must share, of names of three or more
_HEADED = 40  # sources of a folder whose head is asked for the holder of the rights
_HEAD = 600  # characters

Text = Callable[[str], str | None]


def left_out(
    paths: Iterable[str], exclude: Iterable[str] = (), text: Text = lambda _path: None
) -> Mapping[str, str]:
    """The paths that are not the project's own, each with the reason.

    Args:
        paths: the files of the repository.
        exclude: patterns of the configuration, as in `.gitignore`.
        text: a file's content, asked where a folder looks foreign; None where it cannot be read.
    """
    listed = sorted(paths)
    found: dict[str, str] = {}
    patterns = "\n".join(exclude).encode()
    excluded = IgnoreRules(lambda folder: None if folder else patterns) if patterns else None
    roots = _foreign_roots(listed, text)
    for path in listed:
        reason = _reason(path, roots)
        if excluded is not None and excluded.ignores(tuple(path.split("/")), folder=False):
            reason = "excluded in the configuration"
        if reason:
            found[path] = reason
    return found


def _reason(path: str, roots: tuple[str, ...]) -> str:
    parts = path.split("/")
    for part in parts[:-1]:
        if part.lower() in _VENDOR_FOLDERS:
            return f"vendored code ({part}/)"
        if part in _AGENT_FOLDERS:
            return f"files of a coding agent ({part}/)"
    if any(path.startswith(root) for root in roots):
        return "another project's code, with its own licence and metadata"
    if "skills" in parts[:-1] and parts[-1].upper().startswith("SKILL"):
        return "an agent's skill"
    if _GENERATED.search(path):
        return "generated"
    if _TEMPLATE.search(path):
        return "the source of a template"
    return ""


def _foreign_roots(paths: list[str], text: Text) -> tuple[str, ...]:
    """Folders below the root that hold a licence, metadata and the code of another project."""
    licences: dict[str, str] = {}
    names: dict[str, set[str]] = {}
    sizes: dict[str, int] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name in _METADATA or name in _LICENCES:
            names.setdefault(folder, set()).add(name)
            if name in _LICENCES:
                licences.setdefault(folder, path)
        parts = folder.split("/") if folder else []
        for depth in range(1, len(parts) + 1):
            prefix = "/".join(parts[:depth])
            sizes[prefix] = sizes.get(prefix, 0) + 1
    total = len(paths)
    _metadata_below(names)
    found = [
        f"{folder}/"
        for folder, inside in names.items()
        if folder
        and inside & set(_METADATA)
        and inside & set(_LICENCES)
        and _MIN_VENDORED <= sizes.get(folder, 0) < total
        and inside & set(_METADATA) != {"package.json"}
    ]
    # An empty licence says of nobody that the code is theirs; an unread one may.
    found = [f for f in found if text(licences[f.rstrip("/")]) != ""]
    if not found:
        return ()
    holders = _holders(text(licences[""])) if "" in licences else frozenset()
    # A monorepo's part may repeat the licence of the whole.
    found = [f for f in found if not holders & _holders(text(licences[f.rstrip("/")]))]
    built = [text(path) or "" for path in paths if _CI.fullmatch(path)] if found else []
    return tuple(sorted(f for f in found if not _plainly_own(f, paths, text, holders, built)))


def _plainly_own(
    root: str, paths: list[str], text: Text, holders: frozenset[str], built: list[str]
) -> bool:
    """Whether a folder with a licence of its own is the project's all the same.

    The repository's CI works in it, it is called after the same thing as a folder beside it, its
    sources name the holder of the whole's licence, or its metadata names nobody yet: the package
    of a template.
    """
    if any(root.rstrip("/") in ci for ci in built) or _has_sibling(root, paths):
        return True
    sources = [p for p in paths if p.startswith(root) and p.endswith(".py")][:_HEADED]
    heads = [(path, (text(path) or "")[:_HEAD]) for path in sources]
    if holders and any(holders & _holders(head) for _, head in heads):
        return True
    return any(_NOBODY.search(head) for path, head in heads if _METADATA_FILE.search(path))


def _has_sibling(root: str, paths: list[str]) -> bool:
    """Whether a folder of code beside it has the same first words: `car_price_model`, `.._api`."""
    parent, _, name = root.rstrip("/").rpartition("/")
    words = re.split(r"[-_]", name)[:-1]
    if len(words) < _WORDS:
        return False
    inside = f"{parent}/" if parent else ""
    stem = re.compile(rf"{re.escape(inside)}{'[-_]'.join(map(re.escape, words))}[-_](\w+)/.+\.py")
    return any(stem.fullmatch(p) and not p.startswith(root) for p in paths)


def _holders(licence: str | None) -> frozenset[str]:
    """Who holds the rights, as a licence names them; nobody where its blanks are not filled in."""
    lines = _HOLDER.findall((licence or "")[:20_000].lower())
    named = (" ".join(_YEARS.sub(" ", x).split()) for x in lines if not _BLANK.search(x))
    return frozenset(name for name in named if name)


def _metadata_below(names: dict[str, set[str]]) -> None:
    """Give a folder with a licence beside the root's the metadata that lies deeper in it.

    A vendored server keeps its licence on top and the metadata of its parts below. Where the
    root has no licence, the folder may well be the project itself.
    """
    if not names.get("", set()) & set(_LICENCES):
        return
    for folder in [f for f, inside in names.items() if f and inside & set(_LICENCES)]:
        for below, inside in names.items():
            if below.startswith(f"{folder}/"):
                names[folder] |= inside & set(_METADATA)
