"""What an upgrade adds to a project's lock."""

from __future__ import annotations

import tomllib

from mlops_audit.scaffold.pins import with_pins


def entry(name: str, version: str, more: str = "") -> str:
    """An entry of a lock."""
    registry = 'source = { registry = "https://pypi.org/simple" }'
    digest = f'sdist = {{ url = "https://x/{name}.tar.gz", hash = "sha256:{version}" }}'
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\n{registry}\n{more}{digest}\n'


OWN = "\n".join(["version = 1\n", entry("old", "2")])
SHIPPED = "\n".join(
    [
        "version = 1\nresolution-markers = [\n    \"extra == 'group-1-x-y'\",\n]\n",
        entry("deep", "5"),
        entry("extra-only", "6"),
        entry("new", "3", 'dependencies = [\n    { name = "deep", extra = ["fast"] },\n]\n'),
        entry("not-asked-for", "4"),
        entry("old", "1", 'dependencies = [\n    { name = "deep", version = "5" },\n]\n'),
        '[package.optional-dependencies]\nmore = [\n    { name = "extra-only" },\n]\n',
    ]
)


def asks(*packages: str) -> str:
    """A pyproject.toml that asks for packages."""
    return f"[project]\ndependencies = {list(packages)}\n[dependency-groups]\ndev = []\n"


def locked(text: str) -> dict[str, str]:
    """The versions in a lock."""
    return {entry["name"]: entry["version"] for entry in tomllib.loads(text)["package"]}


def test_what_is_new_gets_the_shipped_version_and_what_is_locked_keeps_its_own() -> None:
    """Also what the new package needs; neither what nobody asks for nor a second version."""
    told = with_pins(OWN, SHIPPED, asks("Old>=1", "new[thing]>=2,<4"))
    assert locked(told) == {"old": "2", "new": "3", "deep": "5"}
    assert told.startswith(OWN)
    # A digest stays, so that the file is checked; what it depends on `uv lock` finds out anew.
    assert 'hash = "sha256:3"' in told
    assert "dependencies" not in told


def test_an_extra_brings_what_it_needs() -> None:
    """Only where it is asked for."""
    assert locked(with_pins(OWN, SHIPPED, asks("old[more]"))) == {
        "old": "2", "deep": "5", "extra-only": "6",
    }  # fmt: skip


def test_nothing_new_changes_nothing() -> None:
    """Byte for byte; a file in conflict is left as it is."""
    assert with_pins(OWN, SHIPPED, asks()) == OWN
    broken = f"<<<<<<< before updating\n{OWN}"
    assert with_pins(broken, SHIPPED, asks("new")) == broken
    assert with_pins(OWN, SHIPPED, "<<<<<<< before") == OWN


def test_versions_for_several_platforms_are_all_kept() -> None:
    """With the markers that tell them apart."""
    marked = "resolution-markers = [\n    \"python_full_version < '3.12'\",\n]\n"
    shipped = "\n".join(["version = 1\n", entry("new", "3", marked), entry("new", "4")])
    told = with_pins(OWN, shipped, asks("new"))
    assert [e["version"] for e in tomllib.loads(told)["package"]] == ["2", "3", "4"]
    assert marked in told
