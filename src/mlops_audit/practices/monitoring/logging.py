"""MON01: modules log through a logger."""

from __future__ import annotations

import re

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    failed,
    hollow,
    not_applicable,
    partial,
    passed,
)
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = "calls of a logger (logging, loguru, structlog or any object with logger methods)"
_METHODS = frozenset(
    ["debug", "info", "warning", "warn", "error", "exception", "critical", "success", "fatal",
     "log", "trace"]
)  # fmt: skip
_LOGGER = regex(r"(^|[._])(log|logg?er|logging|_?logs?|get_run_logger|getLogger\(.*\)|"
                     r"get_logger\(.*\)|get_run_logger\(\))$", re.IGNORECASE)  # fmt: skip
_NO_LOGGER = regex(r"^(np|numpy|torch|math|tf|mlflow|wandb|run|self|experiment)$")
_PRINTS = frozenset({"print", "sys.stdout.write", "sys.stderr.write", "pprint.pprint"})
_SHARE = 0.5  # of the modules that talk: the catalogue's line
_KINDS = (
    ("configuration", regex(r"config|param|setting|argument|option", re.IGNORECASE)),
    (
        "begin and end",
        regex(r"start|begin|finish|done|complet|end(ed|ing)?\b|success|saved", re.IGNORECASE),
    ),
    ("results", regex(r"result|score|metric|predict|accuracy|shape|loss|rows", re.IGNORECASE)),
    ("crashes", regex(r"error|fail|exception|crash|traceback", re.IGNORECASE)),
)


class _Talk(Struct, frozen=True):
    """What one module says: through loggers, and by print."""

    module: Module
    logged: tuple[Call, ...]
    printed: tuple[Call, ...]

    @property
    def logs(self) -> bool:
        """Whether it speaks mostly through a logger."""
        return bool(self.logged) and len(self.logged) * 2 >= len(self.printed)


@practice(
    id="MON01",
    title="Modules log through a logger",
    assets="code",
    level="2s",
    sources="S0",
    fix="Replace print by a module logger, and configure logging in the entry points.",
    template=(
        "src/<package>/log.py",
        "src/<package>",
    ),
)
def logging(project: Project) -> Verdict:
    """At least half of the modules that say anything say it through a logger."""
    talks = _talks(project)
    if not talks:
        return not_applicable("no module prints or logs anything")
    logs = [t for t in talks if t.logs]
    shown = [_shown(t.logged[0]) for t in logs]
    if logs and (len(logs) >= _SHARE * len(talks) or _entries(project, talks)):
        return passed(
            f"{len(logs)} of {len(talks)} modules that talk use a logger{_logged(logs)}.", shown
        )
    mixed = [t for t in talks if t.logged]
    if mixed:
        return partial(
            f"Only {len(logs)} of {len(talks)} modules that talk use a logger, the others print.",
            [_shown(t.logged[0]) for t in mixed],
        )
    printed = [_shown(t.printed[0]) for t in talks]
    if unused := _unused(project):
        return hollow("A logger is set up, and nothing is logged.", unused, looked_for=_LOOKED_FOR)
    return failed("Modules print; none logs.", looked_for=_LOOKED_FOR, evidence=printed[:5])


def _talks(project: Project) -> list[_Talk]:
    """The modules that say something: programs first, examples or notebooks where that is all."""
    own = [m for m in project.source if not project.is_example(m.path)]
    found = [t for m in own if (t := _talk(project, m))]
    if found or (own and project.roles.kind != "notebooks"):
        return found
    return [t for m in project.own_code if (t := _talk(project, m))]


def _talk(project: Project, module: Module) -> _Talk | None:
    known = {
        u.span
        for u in project.uses_in(module.path)
        if u.capability == "log.logger" and _speaks(u.call)
    }
    logged = tuple(c for c in module.calls if c.span in known or _is_log(c))
    printed = tuple(c for c in module.calls if c.name in _PRINTS or c.text.startswith(tuple(
        f"{p}(" for p in _PRINTS)))  # fmt: skip
    return _Talk(module, logged, printed) if logged or printed else None


def _speaks(call: Call | None) -> bool:
    return call is not None and call.method in _METHODS


def _is_log(call: Call) -> bool:
    if call.method not in _METHODS or not call.receiver:
        return False
    return bool(_LOGGER.search(call.receiver)) and not _NO_LOGGER.match(call.receiver)


def _entries(project: Project, talks: list[_Talk]) -> bool:
    """Whether logging is configured, and all entry points that talk use it."""
    entries = [t for t in talks if t.module.main_line is not None or _script(t)]
    configured = project.uses("log.configure", test=False, notebook=False)
    return bool(configured and entries) and all(t.logs for t in entries)


def _script(talk: _Talk) -> bool:
    """Whether a module talks while it is loaded: a program without a guard."""
    return any(not c.scope and not c.guards for c in (*talk.logged, *talk.printed))


def _unused(project: Project) -> list[Evidence]:
    return [
        u.evidence()
        for u in project.uses("log.logger", "log.configure", test=False)
        if not _speaks(u.call)
    ] + [
        Evidence(Span(m.path, i.span.line), f"imports {i.module}")
        for m in project.source
        for i in m.imports
        if i.root in {"logging", "loguru", "structlog"}
    ]


def _logged(talks: list[_Talk]) -> str:
    """Which of the things that should be logged are, by the messages' words."""
    texts = [c.text[:200] for t in talks for c in t.logged]
    kinds = [name for name, words in _KINDS if any(words.search(text) for text in texts)]
    return f", with {', '.join(kinds)}" if kinds else ""


def _shown(call: Call) -> Evidence:
    return Evidence(call.span, call.told)
