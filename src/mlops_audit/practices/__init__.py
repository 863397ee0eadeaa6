"""The practices and their registry: found by scanning the folders, listed nowhere by hand.

A practice is a twin pair `<principle>/<slug_with_underscores>.py` and `.md`. Modules whose names
start with an underscore are helpers of their folder and hold no practice.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Iterator
from types import MappingProxyType

from msgspec import Struct

from mlops_audit.model import PRINCIPLES, Diagnostic, Practice
from mlops_audit.modules import module_names

__all__ = ["FOLDERS", "Registry", "catalogue", "find", "registry", "scan", "select"]

FOLDERS = MappingProxyType(
    {
        "automation": "AUT",
        "versioning": "VER",
        "tracking": "TRK",
        "testing": "TST",
        "monitoring": "MON",
        "reproducibility": "REP",
        "collaboration": "COL",
        "structure": "STR",
    }
)
_ORDER = {key: place for place, key in enumerate(PRINCIPLES)}


class Registry(Struct, frozen=True):
    """What a scan found; `broken` says which modules hold no usable practice, and why.

    A broken module costs its own practice only: an audit goes on with the others and shows the
    diagnostics. The contract tests hold `broken` empty.
    """

    practices: tuple[Practice, ...]
    broken: tuple[Diagnostic, ...] = ()


def catalogue() -> tuple[Practice, ...]:
    """All practices, in the order of the principles and then by number."""
    return registry().practices


@functools.cache
def registry() -> Registry:
    """The scan of this package, done once per process."""
    return scan(__name__)


def find(text: str) -> Practice:
    """The practice with this id or slug, in any case, with dashes or underscores.

    Raises:
        LookupError: there is none; the message names the nearest.
    """
    wanted = _normal(text)
    for practice in catalogue():
        if wanted in {_normal(practice.id), practice.slug}:
            return practice
    raise LookupError(f"no practice is called {text.strip()!r}{_nearest(wanted)}")


def select(terms: Iterable[str]) -> tuple[Practice, ...]:
    """The practices that any of the terms names, in catalogue order.

    Args:
        terms: ids, prefixes of ids (`AUT`, `TST0`) or slugs; each may hold several, separated
            by commas.

    Raises:
        LookupError: a term names nothing; the message gives the nearest name.
    """
    chosen: set[str] = set()
    for text in (part.strip() for term in terms for part in term.split(",")):
        if not text:
            continue
        prefix = text.upper()
        matching = {p.id for p in catalogue() if p.id.startswith(prefix)}
        chosen |= matching or {find(text).id}
    return tuple(p for p in catalogue() if p.id in chosen)


def scan(package: str) -> Registry:
    """Import every practice module below the principle folders of `package`.

    Args:
        package: dotted name of an importable package with folders named as in `FOLDERS`.
    """
    found: dict[str, Practice] = {}
    slugs: dict[str, str] = {}
    broken: list[Diagnostic] = []
    for folder, module in _modules(package, broken):
        practice, problem = _load(module, FOLDERS[folder])
        if practice is not None:
            if practice.id in found:
                problem = f"{practice.id} is also the id of {found[practice.id].slug}"
            elif practice.slug in slugs:
                problem = f"{practice.slug} is also the slug of {slugs[practice.slug]}"
            else:
                found[practice.id] = practice
                slugs[practice.slug] = practice.id
        if problem:
            broken.append(Diagnostic(module, problem))
    ordered = sorted(found.values(), key=lambda p: (_ORDER[p.principle], p.id))
    return Registry(tuple(ordered), tuple(sorted(broken, key=lambda d: (d.path, d.message))))


def _modules(package: str, broken: list[Diagnostic]) -> Iterator[tuple[str, str]]:
    """Folder and dotted name of each practice module, in the folders' order."""
    for folder in FOLDERS:
        dotted = f"{package}.{folder}"
        try:
            paths = importlib.import_module(dotted).__path__
        except Exception as error:  # noqa: BLE001 -- one broken folder must not lose the others
            if getattr(error, "name", None) != dotted:  # else there is no such folder
                broken.append(Diagnostic(dotted, f"cannot be imported: {_said(error)}"))
            continue
        for name in module_names(paths):
            yield folder, f"{dotted}.{name}"


def _load(module: str, principle: str) -> tuple[Practice | None, str]:
    """The module's practice, or what is wrong with the module."""
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 -- one broken module must not lose the others
        return None, f"cannot be imported: {_said(error)}"
    own = {name: value for name, value in vars(loaded).items() if isinstance(value, Practice)}
    name = module.rpartition(".")[2]
    if list(own) != [name]:
        have = ", ".join(sorted(own)) or "none"
        return None, f"must hold exactly one practice, called {name}; it holds: {have}"
    practice = own[name]
    if practice.slug != name.replace("_", "-"):
        return None, f"the slug {practice.slug} differs from the file's name"
    if practice.principle != principle:
        return None, f"the id {practice.id} does not belong to {principle}"
    return practice, ""


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _normal(text: str) -> str:
    return text.strip().lower().replace("_", "-")


def _nearest(wanted: str) -> str:
    import difflib  # noqa: PLC0415 -- only a mistake needs it

    names = {_normal(p.id): p.id for p in catalogue()} | {p.slug: p.slug for p in catalogue()}
    near = difflib.get_close_matches(wanted, sorted(names), n=1, cutoff=0.5)
    return f"; the nearest is {names[near[0]]}" if near else ""
