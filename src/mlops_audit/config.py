"""`[tool.mlops-audit]` in `pyproject.toml`, or `mlops-audit.toml` (which wins) → `Config`.

Pure: the caller reads the files at the audited revision and says what day it is. Unreadable TOML
in the audited repository is a diagnostic and the defaults hold; an unknown key, a wrong value or
a waiver that nobody answers for is a `ConfigError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import tomli
from msgspec import Struct, field

from mlops_audit.model import Attestation, Diagnostic, Strength, Waiver
from mlops_audit.regex import regex
from mlops_audit.schema import problems

__all__ = [
    "CONFIG_FILES",
    "Config",
    "ConfigError",
    "RolesConfig",
    "load_config",
    "parse_config",
    "today",
]

CONFIG_FILES = ("mlops-audit.toml", "pyproject.toml")
"""Where the configuration is looked for in the audited tree, the winner first."""


class ConfigError(ValueError):
    """The configuration or the call is wrong: one line says what and where (exit code 2)."""


class RolesConfig(Struct, frozen=True):
    """What the repository is for, where the audit would guess wrong; paths are POSIX."""

    kind: str | None = None
    training: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()
    pipeline: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


class Config(Struct, frozen=True):
    """A team's settings; every field has the default that holds without a configuration.

    `require` maps `*`, a level's number or name, or a practice's id or slug to the weakest
    strength of evidence that counts there. `tools` holds own rows of the tool catalogue by key,
    as they stand in TOML; the catalogue's loader gives them their types. `source` is the file
    that it was read from and `places` the line of each entry in it, keyed `waiver:ID`,
    `attestation:ID` or `promotion-approver`.
    """

    target: int | str | None = None
    fail_under: int | str | None = None
    models: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    roles: RolesConfig = RolesConfig()
    waivers: tuple[Waiver, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    promotion_approver: Attestation | None = None
    canvas: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, object] = field(default_factory=dict)
    require: Mapping[str, Strength] = field(default_factory=dict)
    source: str | None = None
    places: Mapping[str, int] = field(default_factory=dict)


def today(environment: Mapping[str, str]) -> date:
    """The day that decides what has expired: `SOURCE_DATE_EPOCH`, or now, in UTC.

    Args:
        environment: the process's environment variables.

    Raises:
        ConfigError: `SOURCE_DATE_EPOCH` is no number of seconds.
    """
    epoch = environment.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC).date()
    try:
        return datetime.fromtimestamp(int(epoch), UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"SOURCE_DATE_EPOCH={epoch!r} is no time in seconds") from error


def load_config(
    files: Mapping[str, bytes | None], *, day: date
) -> tuple[Config, tuple[Diagnostic, ...]]:
    """Read the audited tree's configuration.

    Args:
        files: the content of each of `CONFIG_FILES`, None where absent.
        day: today, for what has expired.

    Returns:
        The settings, and what could not be read.

    Raises:
        ConfigError: an unknown key, a wrong value, or an entry that nobody answers for.
    """
    diagnostics: list[Diagnostic] = []
    for name in CONFIG_FILES:
        content = files.get(name)
        if content is None:
            continue
        try:
            document = tomli.loads(content.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            message = f"not readable as TOML ({_one_line(error)}); the defaults are used"
            diagnostics.append(Diagnostic(name, message))
            continue
        table = _own_table(document) if name == "pyproject.toml" else document
        if table is not None:
            config = _build(table, name, content.decode("utf-8-sig"), day)
            return config, tuple(diagnostics)
    return Config(), tuple(diagnostics)


def parse_config(content: bytes, name: str, *, day: date) -> Config:
    """Read the file that a person named with `--config`.

    Args:
        content: the file's bytes.
        name: its name, for messages; `pyproject.toml` is read at `[tool.mlops-audit]`.
        day: today, for what has expired.

    Raises:
        ConfigError: also when the file is no TOML: the person asked for this one.
    """
    try:
        text = content.decode("utf-8-sig")
        document = tomli.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: not readable as TOML: {_one_line(error)}") from error
    table = _own_table(document)
    if table is None:
        table = {} if name == "pyproject.toml" else document
    return _build(table, name, text, day)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _own_table(document: Mapping[str, Any]) -> dict[str, Any] | None:
    tool = document.get("tool")
    own = tool.get("mlops-audit") if isinstance(tool, dict) else None
    if own is not None and not isinstance(own, dict):
        raise ConfigError("pyproject.toml: tool.mlops-audit: must be a table")
    return own


def _plain(value: object) -> object:
    """Turn TOML's own dates into text: `expires = 2027-01-31` needs no quotes."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _build(table: Mapping[str, Any], source: str, text: str, day: date) -> Config:
    plain: Any = {key: v if key == "tools" else _plain(v) for key, v in table.items()}
    for key, message in problems(plain):
        raise ConfigError(f"{source}: {key or 'the file'}: {message}")
    roles: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in plain.get("roles", {}).items()
    }
    model = plain.get("model", [])
    require = plain.get("require", {})
    approver = plain.get("promotion-approver")
    return Config(
        target=plain.get("target"),
        fail_under=plain.get("fail-under"),
        models=(model,) if isinstance(model, str) else tuple(model),
        exclude=tuple(plain.get("exclude", ())),
        roles=RolesConfig(**roles),
        waivers=tuple(_waiver(entry, day) for entry in plain.get("waivers", ())),
        attestations=tuple(_attestation(entry, day) for entry in plain.get("attestations", ())),
        promotion_approver=(
            _attestation({**approver, "practice": "AUT13"}, day) if approver else None
        ),
        canvas=dict(plain.get("canvas", {})),
        tools=dict(plain.get("tools", {})),
        require=(
            {"*": Strength(require)}
            if isinstance(require, str)
            else {key: Strength(value) for key, value in require.items()}
        ),
        source=source,
        places=_places(text),
    )


def _expired(entry: Mapping[str, Any], day: date) -> bool:
    return date.fromisoformat(entry["expires"]) < day


def _waiver(entry: Mapping[str, Any], day: date) -> Waiver:
    return Waiver(
        practice=entry["practice"],
        reason=entry["reason"],
        owner=entry["owner"],
        expires=entry["expires"],
        date=entry.get("date"),
        expired=_expired(entry, day),
    )


def _attestation(entry: Mapping[str, Any], day: date) -> Attestation:
    return Attestation(
        practice=entry["practice"],
        reason=entry["reason"],
        owner=entry["owner"],
        expires=entry["expires"],
        url=entry.get("url"),
        date=entry.get("date"),
        expired=_expired(entry, day),
    )


_HEADER = regex(r"\s*\[{1,2}\s*(?:tool\.mlops-audit\.)?([\w-]+)\s*\]{1,2}")
_PRACTICE = regex(r"""\bpractice\s*=\s*["']([^"'\n]{1,60})["']""")
_KINDS = {"waivers": "waiver", "attestations": "attestation"}


def _places(text: str) -> dict[str, int]:
    """Find the line of each entry, so that it can be shown as evidence; `tomli` gives none."""
    places: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            section = header[1]
        elif re.match(r"\s*(waivers|attestations|promotion-approver)\s*=", line):
            section = line.split("=", 1)[0].strip()
        if section == "promotion-approver":
            places.setdefault(section, number)
        for practice in _PRACTICE.findall(line) if section in _KINDS else ():
            places.setdefault(f"{_KINDS[section]}:{practice}", number)
    return places
