"""Lock files: which packages they pin. Scanned by line, because they grow to megabytes."""

from __future__ import annotations

import json
import re

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.requirements import Lock, normal_name
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["LOCK_NAMES", "read_lock"]

LOCK_NAMES = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
    "pylock.toml": "pylock",
    "conda-lock.yml": "conda-lock",
    "conda-lock.yaml": "conda-lock",
    "pixi.lock": "pixi",
    "requirements.lock": "rye",
    "requirements-dev.lock": "rye",
}
_MAX_BYTES = 32 * 1024 * 1024
_TOML_PACKAGE = regex(r"^\[\[packages?\]\]\s*$", re.MULTILINE)
_TOML_FIELD = regex(r"^(name|version)\s*=\s*[\"']([^\"']{1,200})[\"']")
_YAML_NAME = regex(r"^\s*(?:- )?name:\s*[\"']?([A-Za-z0-9._-]+)", re.MULTILINE)
_PIXI_URL = regex(
    r"(?:conda|pypi):\s+\S{1,300}/([A-Za-z0-9_.]+?(?:-[A-Za-z][A-Za-z0-9_.]*)*)-(\d[\w.!+]*)-"
)


def read_lock(data: bytes, path: str) -> Lock | None:
    """Read a lock file by its name; None where it holds no packages or is no lock.

    Returns:
        The lock with names and versions; these tools lock whole trees.
    """
    kind = LOCK_NAMES.get(path.rsplit("/", 1)[-1])
    if kind is None and path.endswith(".toml") and "/pylock." in f"/{path}":
        kind = "pylock"
    text = decode(data) if len(data) <= _MAX_BYTES else None
    if kind is None or text is None:
        return None
    if kind == "pipenv":
        pairs = _pipfile(text)
    elif kind == "conda-lock":
        pairs = [(name, "") for name in _YAML_NAME.findall(text)]
    elif kind == "pixi":
        pairs = [(m[1], m[2]) for m in _PIXI_URL.finditer(text)]
        pairs += [(name, "") for name in _YAML_NAME.findall(text)]
    elif kind == "rye":
        pairs = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", text, re.MULTILINE)
    else:
        pairs = _toml(text)
    versions = {normal_name(name): version for name, version in pairs if name}
    if not versions:
        return None
    ordered = tuple(sorted(versions.items()))
    return Lock(kind, path, Span(path), frozenset(versions), ordered)


def _toml(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for start in _TOML_PACKAGE.finditer(text):
        fields: dict[str, str] = {}
        for line in text[start.end() : start.end() + 1_000].lstrip("\n").split("\n"):
            if line.startswith("["):
                break
            field = _TOML_FIELD.match(line)
            if field:
                fields.setdefault(field[1], field[2])
        found.append((fields.get("name", ""), fields.get("version", "")))
    return found


def _pipfile(text: str) -> list[tuple[str, str]]:
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found: list[tuple[str, str]] = []
    for section in ("default", "develop"):
        packages = root.get(section) if isinstance(root, dict) else None
        for name, entry in packages.items() if isinstance(packages, dict) else ():
            version = entry.get("version") if isinstance(entry, dict) else None
            found.append((name, str(version or "").lstrip("=")))
    return found
