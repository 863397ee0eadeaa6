"""One audit from a call to its reports: glue between tree, audit, gates and formats."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.audit import Request, audit, read_config, settings_of
from mlops_audit.cli.progress import progress
from mlops_audit.cli.terminal import options_for, put
from mlops_audit.config import Config, ConfigError, parse_config, today
from mlops_audit.maturity import MaturityModel, Names, load_model, parse_level
from mlops_audit.maturity import parse_model as parse_model_file
from mlops_audit.maturity.gates import Ask, Baseline, baseline_of, compare, decide, read_baseline
from mlops_audit.maturity.past import now, read_earlier
from mlops_audit.model import Diagnostic, Gate, Practice, Report, Strength
from mlops_audit.reports import Options, render
from mlops_audit.reports.safe import one_line
from mlops_audit.reports.words import ASCII
from mlops_audit.tree import Tree, open_tree

__all__ = ["Audited", "Call", "audited", "drawn", "run", "say", "write_all"]


class Call(Struct, frozen=True):
    """What a command line asked for."""

    path: str = "."
    rev: str | None = None
    project: str | None = None
    models: tuple[str, ...] = ()
    evidence: str | None = None
    config: str | None = None
    no_cache: bool = False
    jobs: int | None = None
    color: bool | None = None
    quiet: bool = False
    verbose: int = 0
    formats: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    target: str | None = None
    fail_under: str | None = None
    fail_under_score: float | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    against: str | None = None
    history: tuple[str, ...] = ()
    pictures: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Call:
        """Take click's parameters."""
        return cls(**given)


class Audited(Struct, frozen=True):
    """A report with what it was made from, for gates and baselines."""

    report: Report
    config: Config
    models: tuple[MaturityModel, ...]


def run(call: Call, *, gate: bool = True) -> int:
    """Audit, write every format, and give the exit code.

    Args:
        call: what was asked for.
        gate: whether the configuration's and the call's gates decide the exit code.
    """
    start = time.perf_counter()
    pairs = _pairs(call)
    done = audited(call)
    if not gate:
        write_all(done.report, pairs, call)
        return 0
    decided, report = _gate(call, done)
    report = _listed(call, replace(report, gate=decided))
    if call.history:
        earlier = [read_earlier(_bytes(name), os.path.basename(name)) for name in call.history]
        report = replace(report, extra={**report.extra, "history": [*earlier, now(report)]})
    write_all(report, pairs, call)
    if call.verbose:
        say(call, f"{report.repository.files} files in {time.perf_counter() - start:.2f} s")
    if decided is None or decided.met:
        return 0
    if pairs[-1] != ("text", None):  # which says it itself
        for reason in decided.reasons:
            say(call, f"gate not met: {reason}")
    return 1


def audited(call: Call, given: Config | None = None) -> Audited:
    """Open the tree, read its configuration (unless it is `given`) and audit it.

    Raises:
        ConfigError: the call or the configuration is wrong.
        TreeError: there is no such folder or revision.
    """
    tree = open_tree(call.path, call.rev)
    config, diagnostics = (given, ()) if given else _config(call, tree, today(os.environ))
    models = tuple(_model(n, tree, call) for n in call.models or config.models or ("ladder",))
    target = call.target if call.target is not None else config.target
    request = Request(
        target=parse_level(_levelled(models), target) if target is not None else None,
        evidence=Strength(call.evidence or Strength.ATTESTED),
        cached=not call.no_cache,
        pictures=call.pictures or "html" in call.formats,
    )
    with progress(f"auditing {len(tree.entries)} files", quiet=call.quiet):
        report = audit(
            tree,
            config,
            models=models,
            project=_project(call.project),
            request=request,
            jobs=call.jobs,
        )
    known = dict.fromkeys([*report.diagnostics, *diagnostics])
    ordered = sorted(known, key=lambda d: (d.path, d.line or 0, d.message))
    for diagnostic in ordered:
        if diagnostic in diagnostics or " expired on " in diagnostic.message:
            say(call, f"{diagnostic.path}: {diagnostic.message}")
    return Audited(replace(report, diagnostics=tuple(ordered)), config, models)


def drawn(call: Call, form: str, output: str | None) -> None:
    """Audit, and write the loop in one of the formats of `map`.

    Raises:
        ConfigError: the file cannot be written.
    """
    from mlops_audit.reports.loop import draw  # noqa: PLC0415 -- only `map` needs it

    report = audited(replace(call, pictures=True)).report
    if report.roles.kind == "none" and report.assessment.level.remark:
        say(call, report.assessment.level.remark)
    if report.loop is None:
        return
    text = draw(report.loop, form)
    plain = form == "text" and _options(call, output).ascii_only
    _write(text.translate(ASCII) if plain else text, output)


def _levelled(models: tuple[MaturityModel, ...]) -> MaturityModel:
    return models[0] if models[0].has_levels else load_model("ladder")


def _project(path: str | None) -> str | None:
    """As the audit names it: relative, POSIX, without a slash at its end."""
    return path if path is None else os.path.normpath(path).replace(os.sep, "/")


def _config(call: Call, tree: Tree, day: date) -> tuple[Config, tuple[Diagnostic, ...]]:
    if call.config is None:
        return read_config(tree, day)
    return parse_config(_bytes(call.config), os.path.basename(call.config), day=day), ()


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"{path}: cannot be read: {reason}") from error


def _model(name: str, tree: Tree, call: Call) -> MaturityModel:
    """A built-in model, a file that the call names, or one that the configuration does."""
    if not (name.endswith(".toml") or "/" in name):
        return load_model(name)
    if name in call.models:
        return parse_model_file(_bytes(name), os.path.basename(name))
    content = tree.read(name) if name in tree.entries else None
    if not isinstance(content, bytes):
        raise ConfigError(f"model {name!r}: there is no such file in the audited tree")
    return parse_model_file(content, name)


def _gate(call: Call, done: Audited) -> tuple[Gate | None, Report]:
    report, ladder = done.report, load_model("ladder")
    names = Names([f.practice for f in report.findings], ladder, done.models)
    gated = _selection(call, names, report, ladder)
    if call.against is not None:
        baseline = _baseline(call, call.against, done.config)
        comparison = compare(report.findings, baseline)
        report = replace(report, comparison=comparison)
        if os.path.isfile(call.against) and (comparison.better or comparison.gone):
            say(call, f"{call.against}: the baseline is stale; write it anew with -f json")
    level = call.fail_under if call.fail_under is not None else done.config.fail_under
    ask = Ask(
        level=parse_level(_levelled(done.models), level) if level is not None else None,
        score=call.fail_under_score,
        ratchet=call.against is not None,
        gated=gated,
    )
    settings = replace(
        settings_of(done.config), evidence=Strength(call.evidence or Strength.ATTESTED)
    )
    gate = decide(report, ask, models=done.models, ladder=ladder, settings=settings)
    return gate, report


def _selection(
    call: Call, names: Names, report: Report, ladder: MaturityModel
) -> frozenset[str] | None:
    """The ids that are listed and gated; None for all."""
    if not (call.select or call.ignore):
        return None
    every = frozenset(f.practice.id for f in report.findings) | frozenset(ladder.reserved)
    chosen = names.many(call.select) if call.select else every
    return chosen - names.many(call.ignore)


def _listed(call: Call, report: Report) -> Report:
    names = Names([f.practice for f in report.findings], load_model("ladder"))
    chosen = _selection(call, names, report, load_model("ladder"))
    if chosen is None:
        return report
    return replace(report, findings=tuple(f for f in report.findings if f.practice.id in chosen))


def _baseline(call: Call, against: str, config: Config) -> Baseline:
    """The report in a file, or an audit of that revision with the same settings."""
    if os.path.isfile(against):
        return read_baseline(_bytes(against), os.path.basename(against))
    # No file of that name, so a revision; the tree says if there is none either.
    there = replace(call, rev=against, against=None, quiet=True)
    try:
        done = audited(there)
    except ConfigError:  # wrong there and mended here: that is no reason to fail
        done = audited(there, config)
    return baseline_of(done.report, against)


def _pairs(call: Call) -> list[tuple[str, str | None]]:
    """Each format with its file; the last one without a file goes to standard output."""
    formats = call.formats or ("text",)
    spare = len(formats) - len(call.outputs)
    if spare < 0:
        raise ConfigError("-o: there are more outputs than formats")
    if spare > 1:
        raise ConfigError("-f: only the last format may go to standard output; give -o for others")
    return [*zip(formats, (*call.outputs, *([None] * spare)), strict=True)]


def write_all(report: Report, pairs: list[tuple[str, str | None]], call: Call) -> None:
    """Write each format where it goes.

    Raises:
        ConfigError: a file cannot be written.
    """
    for name, output in pairs:
        _write(render(report, name, _options(call, output)), output)


def _write(text: str, output: str | None) -> None:
    if output is None or output == "-":
        put(text)
        return
    try:
        with open(output, "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"-o {output}: cannot be written: {reason}") from error


def _options(call: Call, output: str | None) -> Options:
    verbosity = -1 if call.quiet else call.verbose
    options = options_for(sys.stdout, os.environ, color=call.color, to_file=output is not None)
    return replace(options, verbosity=verbosity, help_of=_help_of)


def _help_of(practice: Practice) -> str:
    from mlops_audit.practices.document import document  # noqa: PLC0415 -- SARIF alone needs it

    try:
        return document(practice).prose
    except (FileNotFoundError, ModuleNotFoundError):
        return ""


def say(call: Call, text: str) -> None:
    """A remark for the person at the terminal, on standard error."""
    if not call.quiet:
        click.echo(one_line(text), err=True)
