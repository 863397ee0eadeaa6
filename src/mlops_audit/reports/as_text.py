"""Text for a person at a terminal: the level, the principles, and what to do next."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from mlops_audit.model import PRINCIPLES, Evidence, Finding, Outcome, Report
from mlops_audit.reports import Options, words
from mlops_audit.reports.links import forge_url
from mlops_audit.reports.safe import one_line, short

__all__ = ["render"]

_STYLES = {
    Outcome.PASS: "green",
    Outcome.PARTIAL: "yellow",
    Outcome.FAIL: "red",
    Outcome.UNKNOWN: "magenta",
    Outcome.NOT_APPLICABLE: "dim",
}
_BAR = 24
_BESIDE_BAR = 54  # columns of names, scores and levels
_DETAIL = 300
_EVIDENCE = 3


def render(report: Report, options: Options) -> str:
    """Write the report; -q is one line, -v adds every practice, -vv all of its evidence."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=options.width,
        force_terminal=options.color,
        color_system="standard" if options.color else None,
        no_color=not options.color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    if options.verbosity < 0:
        console.print(_one_line(report), soft_wrap=True)
    else:
        for part in _parts(report, options):
            console.print(part)
    text = "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
    return text.translate(words.ASCII) if options.ascii_only else text


def _one_line(report: Report) -> Text:
    level = report.assessment.level
    total = words.score(report.assessment.scores.total)
    return Text(f"{words.heading(level)} · score {total} · {one_line(report.repository.path)}")


def _parts(report: Report, options: Options) -> Iterator[RenderableType]:
    yield _title(report)
    yield ""
    yield from _level(report)
    if report.roles.kind != "none":
        yield ""
        yield _principles(report, options)
        yield from _blocking(report, options)
        yield from _models(report)
    if report.comparison is not None:
        yield from _comparison(report)
    if options.verbosity > 0:
        yield from _practices(report, options)
    yield from _notes(report, options)


def _title(report: Report) -> Text:
    repository = report.repository
    text = Text(one_line(repository.path), style="bold")
    if repository.commit:
        mark = "+" if repository.dirty else ""
        text.append(f" @ {repository.commit[:10]}{mark}", style="dim")
    unread = f", {repository.unread} not read" if repository.unread else ""
    text.append(f" · {words.role(report)} · {repository.files} files{unread}", style="dim")
    return text


def _level(report: Report) -> Iterator[RenderableType]:
    level = report.assessment.level
    head = Text(words.heading(level), style="bold green" if level.reached else "bold yellow")
    if level.target is not None:
        met = "met" if level.target_met else "not met"
        head.append(f"   target {level.target}: {met}", style="not bold default")
    yield head
    if level.meaning and report.roles.kind != "none":
        yield Text(level.meaning)
    if level.remark:
        yield Text(level.remark, style="yellow" if report.roles.kind != "none" else "default")
    if report.roles.kind != "none" and level.profile:
        yield Text(f"Musts met by level: {words.profile(level)}")
    if level.missing and report.roles.kind != "none":
        count = len(level.missing)
        are = "practice of the catalogue is" if count == 1 else "practices of the catalogue are"
        yield Text(f"{count} {are} not implemented yet; the level is capped there.", style="dim")


class _Hung:
    """A text at an indent, whose further lines stand deeper, so that its start stands out."""

    def __init__(self, text: Text, indent: int, hang: int) -> None:
        self._text, self._indent, self._hang = text, indent, hang

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first, rest = " " * self._indent, " " * (self._indent + self._hang)
        lines = self._text.wrap(console, max(options.max_width - len(rest), 20))
        for number, line in enumerate(lines):
            yield Text(rest if number else first) + line


def _bar(score: float | None, width: int) -> Text:
    if score is None:
        return Text("-" + " " * (width - 1), style="dim")
    full = round(score / 100 * width)
    style = "green" if score >= 75 else "yellow" if score >= 40 else "red"  # noqa: PLR2004 -- thirds that read well
    return Text.assemble(("━" * full, style), ("─" * (width - full), "dim"))


def _principles(report: Report, options: Options) -> RenderableType:
    scores = report.assessment.scores
    bar = max(6, min(_BAR, options.width - _BESIDE_BAR))
    table = Table.grid(padding=(0, 2, 0, 0))
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    table.add_row("", "", *(Text(head, style="dim") for head in ("score", "musts met to")))
    for key, name in PRINCIPLES.items():
        value = scores.principles.get(key)
        level = Text(f"level {scores.principle_levels.get(key, 0)}", style="dim")
        table.add_row(Text(name), _bar(value, bar), Text(words.score(value)), level)
    table.add_row(
        Text("All", style="bold"), _bar(scores.total, bar), Text(words.score(scores.total)), ""
    )
    assets = " · ".join(f"{key} {words.score(value)}" for key, value in scores.assets.items())
    return Group(table, Text(f"By asset: {assets}", style="dim"))


def _blocking(report: Report, options: Options) -> Iterator[RenderableType]:
    level = report.assessment.level
    if level.next is None:
        return
    upto = max(level.next[0], level.target or 0)
    name = f" {level.next[1]}" if upto == level.next[0] else ""
    yield ""
    if not level.blocking:
        reason = "practices that are not implemented yet" if level.missing else "nothing known"
        yield Text(f"What blocks level {upto}{name}: {reason}", style="bold")
        return
    yield Text(f"What blocks level {upto}{name}, and the first step for each", style="bold")
    known, excused = words.by_id(report), words.waived(report)
    for practice in level.blocking:
        finding = known.get(practice)
        if finding is None:
            yield Text(f"  {practice} (not selected)")
            continue
        yield _finding_head(finding, must=words.is_must(finding, report))
        yield _indented(Text(one_line(finding.verdict.reason)))
        yield _indented(Text(f"→ {one_line(finding.practice.fix.step)}", style="cyan"), hang=2)
        if practice in excused:
            yield _indented(Text(excused[practice], style="dim"))
        if options.verbosity == 0:
            yield from _places(finding, report, options, most=1)


def _finding_head(finding: Finding, *, must: bool | None = None) -> RenderableType:
    outcome, practice = finding.outcome, finding.practice
    style = _STYLES[outcome]
    text = Text()
    text.append(f"{words.MARKS[outcome]} ", style=style)
    text.append(practice.id, style="bold")
    text.append(f" {one_line(practice.title)}")
    said = [str(outcome) + (", hollow" if finding.verdict.hollow else "")]
    if must is not None:
        said.append("must" if must else "should")
    if finding.strength is not None and finding.strength != "found":
        said.append(str(finding.strength))
    if finding.project is not None:
        said.append(f"in {one_line(finding.project)}")
    text.append(f" ({', '.join(said)})", style=style)
    return _indented(text, 2, hang=len(practice.id) + 3)


def _indented(text: Text, by: int = 4, *, hang: int = 0) -> RenderableType:
    return _Hung(text, by, hang)


def _places(
    finding: Finding, report: Report, options: Options, most: int
) -> Iterator[RenderableType]:
    shown = finding.verdict.evidence[:most]
    for evidence in shown:
        yield _indented(_place(evidence, report, options), hang=2)
        if options.verbosity > 0:
            for hop in evidence.chain:
                yield _indented(Text("via ", style="dim") + _place(hop, report, options), 8, hang=4)
    rest = len(finding.verdict.evidence) - len(shown)
    if rest > 0 and options.verbosity > 0:
        yield _indented(Text(f"and {rest} more place{'s' if rest > 1 else ''}", style="dim"))


def _place(evidence: Evidence, report: Report, options: Options) -> Text:
    place = one_line(str(evidence.span))
    url = forge_url(report.repository, evidence.span) if options.links else None
    text = Text(place, style=f"dim link {url}" if url else "dim")
    return text.append(f"  {short(evidence.detail, _DETAIL)}", style="not dim default")


def _practices(report: Report, options: Options) -> Iterator[RenderableType]:
    most = _EVIDENCE if options.verbosity == 1 else 1000
    excused = words.waived(report)
    for key, name in PRINCIPLES.items():
        findings = [f for f in report.findings if f.practice.principle == key]
        if not findings:
            continue
        yield ""
        yield Text(name, style="bold underline")
        for finding in findings:
            yield _finding_head(finding)
            yield _indented(Text(one_line(finding.verdict.reason)))
            if finding.verdict.looked_for:
                looked = f"looked for: {one_line(finding.verdict.looked_for)}"
                yield _indented(Text(looked, style="dim"), hang=2)
            if finding.practice.id in excused:
                yield _indented(Text(excused[finding.practice.id], style="dim"))
            yield from _places(finding, report, options, most)


def _models(report: Report) -> Iterator[RenderableType]:
    others = report.assessment.models[1:]
    if not others:
        return
    yield ""
    yield Text("Other models", style="bold")
    for model in others:
        yield _indented(Text(f"{one_line(model.name)}: {words.model_result(model)}"), 2, hang=2)


def _comparison(report: Report) -> Iterator[RenderableType]:
    comparison = report.comparison
    if comparison is None:
        return
    yield ""
    yield Text(f"Against {one_line(comparison.against)}", style="bold")
    for change in (*comparison.worse, *comparison.better):
        style = "red" if change.worse else "green"
        word = "worse" if change.worse else "better" if change.after != "n/a" else "changed"
        yield Text(f"  {change.practice} {word}: {change.before} → {change.after}", style=style)
    if not comparison.changes:
        yield Text("  nothing changed")
    if comparison.gone:
        gone = ", ".join(one_line(p) for p in comparison.gone)
        yield Text(f"  the baseline is stale, it also names: {gone}", style="yellow")


def _notes(report: Report, options: Options) -> Iterator[RenderableType]:
    for kind, entries in (("Attested", report.attestations), ("Waived", report.waivers)):
        if not entries:
            continue
        yield ""
        yield Text(kind, style="bold")
        for entry in entries:
            until = "EXPIRED on" if entry.expired else "until"
            said = f"{entry.practice} by {one_line(entry.owner)} {until} {entry.expires}:"
            yield _indented(Text(f"{said} {one_line(entry.reason)}"), 2, hang=2)
    if report.diagnostics:
        yield ""
        count = len(report.diagnostics)
        if options.verbosity < 1:
            few = report.diagnostics[:_EVIDENCE]
            title = f"{count} {'thing was' if count == 1 else 'things were'} not understood"
            yield Text(title + (" (all with -v)" if count > len(few) else ""), style="bold")
        else:
            few = report.diagnostics
            yield Text("Not understood", style="bold")
        for d in few:
            line = f":{d.line}" if d.line else ""
            said = f"{one_line(d.path)}{line}: {short(d.message, _DETAIL)}"
            yield _indented(Text(said, style="dim"), 2, hang=2)
    if report.roles.kind != "none":
        yield ""
        if report.assessment.level.enough:
            yield Text(one_line(report.assessment.level.enough), style="dim")
        yield Text(words.LIMITS, style="dim")
    if report.gate is not None and not report.gate.met:
        yield ""
        for reason in report.gate.reasons:
            yield Text(f"Gate not met: {one_line(reason)}", style="bold red")
