"""The loop as a picture: nine stations on a ring, an arrow between each two, gaps drawn as gaps.

The top row runs from triggers to code, data lies on the right, the bottom row runs back from the
model to the monitors, and the last arrow closes the ring on the left. The middle says what is
missing, so that the picture can be read without a legend.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mlops_audit.model import Loop, LoopStep
from mlops_audit.reports.loop import MARKS, fitted, said, some, wrapped
from mlops_audit.reports.safe import one_line

__all__ = ["STYLE", "picture", "render"]

_WIDTH, _HEIGHT = 1080, 566
_CARD_W, _CARD_H, _GAP, _EDGE = 232, 136, 50, 1
_ROWS = (17, 215, 413)
_MOST = 4  # lines in a card
_COLUMNS = 27  # characters of 13 px that fit into a card
_COUNT_GAP = 8
# Column and row of each station, in the order of the ring.
_CELLS = ((0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (2, 2), (1, 2), (0, 2))
_LINES = 7  # of the middle, below its title
_LINE = 88  # characters of 13.5 px that fit into it

STYLE = """
.lp{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.lp-card{fill:var(--lp-card);stroke:var(--lp-edge)}
.lp-none{fill:none;stroke:var(--lp-quiet);stroke-dasharray:4 4}
.lp-title{font-size:15px;font-weight:650;fill:var(--lp-ink)}
.lp-count{font-size:13px;fill:var(--lp-quiet)}
.lp-item{font-size:13px;fill:var(--lp-text)}.lp-void{font-size:13px;fill:var(--lp-quiet)}
.lp-line{fill:none;stroke-width:2}.lp-badge{stroke-width:2;fill:var(--lp-back)}
.lp-mark{font-size:12px;font-weight:700;text-anchor:middle}
.lp-found{stroke:var(--lp-found)}.lp-partial{stroke:var(--lp-partial)}
.lp-missing{stroke:var(--lp-missing)}.lp-na{stroke:var(--lp-quiet)}
.lp-line.lp-partial{stroke-dasharray:8 5}.lp-line.lp-missing{stroke-dasharray:3 6}
.lp-line.lp-na{stroke-dasharray:1 6;stroke-linecap:round}
text.lp-found,.lp-head.lp-found{stroke:none;fill:var(--lp-found)}
text.lp-partial,.lp-head.lp-partial{stroke:none;fill:var(--lp-partial)}
text.lp-missing,.lp-head.lp-missing{stroke:none;fill:var(--lp-missing)}
text.lp-na,.lp-head.lp-na{stroke:none;fill:var(--lp-quiet)}
.lp-said{font-size:17px;font-weight:650;fill:var(--lp-ink)}
.lp-gap{font-size:13.5px;fill:var(--lp-text)}
"""
_COLOURS = """
svg{--lp-back:#fff;--lp-card:#f6f7f9;--lp-edge:#d5d9e0;--lp-ink:#16202c;--lp-text:#38444f;
--lp-quiet:#5d6873;--lp-found:#1a6f3c;--lp-partial:#8a5a00;--lp-missing:#b3261e}
@media(prefers-color-scheme:dark){svg{--lp-back:#12171d;--lp-card:#1b222a;--lp-edge:#37414c;
--lp-ink:#eef2f6;--lp-text:#c9d2db;--lp-quiet:#97a3af;--lp-found:#62c58a;--lp-partial:#e0ac4a;
--lp-missing:#ff8b80}}
"""


def render(loop: Loop) -> str:
    """Write a file of its own, which follows the reader's light or dark scheme."""
    back = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="var(--lp-back)"/>'
    style = f"<style>{_COLOURS}{STYLE}</style>"
    return picture(loop, inside=style + back) + "\n"


def picture(loop: Loop, inside: str = "") -> str:
    """The `<svg>` element, for a page that has `STYLE` and the colours of its own."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lp" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        ' role="img" aria-labelledby="lp-title lp-desc">',
        '<title id="lp-title">The loop from triggers to a monitored model and back</title>',
        f'<desc id="lp-desc">{_e(_described(loop))}</desc>',
        inside,
    ]
    for index, step in enumerate(loop.steps):
        parts += _arrow(index, step, loop)
    for (column, row), kind in zip(_CELLS, loop.stations, strict=True):
        parts += _card(loop, kind, _left(column), _ROWS[row])
    parts += _middle(loop)
    return "".join([*parts, "</svg>"])


def _e(text: str) -> str:
    return escape(one_line(text), quote=True)


def _described(loop: Loop) -> str:
    told = [
        f"{loop.stations[s.source]} to {loop.stations[s.target].lower()}: {s.state}, {s.reason}"
        for s in loop.steps
    ]
    return f"{said(loop)} {' '.join(told)}"


def _left(column: int) -> int:
    return _EDGE + column * (_CARD_W + _GAP)


def _card(loop: Loop, kind: str, x: int, y: int) -> Iterator[str]:
    nodes = loop.at(kind)
    look = "lp-card" if nodes else "lp-none"
    yield (
        f'<rect class="{look}" x="{x}" y="{y}" width="{_CARD_W}" height="{_CARD_H}" rx="10"/>'
        f'<text class="lp-title" x="{x + 14}" y="{y + 27}">{_e(loop.stations[kind])}</text>'
    )
    if not nodes:
        yield f'<text class="lp-void" x="{x + 14}" y="{y + 51}">none found</text>'
        return
    yield (
        f'<text class="lp-count" x="{x + _CARD_W - 14}" y="{y + 27}" text-anchor="end">'
        f"{len(nodes)}</text>"
    )
    shown, rest = some(nodes, _MOST)
    for number, node in enumerate(shown):
        full = f"{node.name} ({node.evidence.span})"
        yield (
            f'<text class="lp-item" x="{x + 14}" y="{y + 51 + 21 * number}">'
            f"<title>{_e(full)}</title>{_e(fitted(node.name, _COLUMNS))}</text>"
        )
    if rest:
        bottom = y + 51 + 21 * len(shown)
        yield f'<text class="lp-count" x="{x + 14}" y="{bottom}">+{rest} more</text>'


def _arrow(index: int, step: LoopStep, loop: Loop) -> Iterator[str]:
    """A line between two neighbours with its head at the end and its mark in the middle."""
    (c1, r1), (c2, r2) = _CELLS[index], _CELLS[(index + 1) % len(_CELLS)]
    right, down = (c2 > c1) - (c2 < c1), (r2 > r1) - (r2 < r1)
    half_w, half_h = _CARD_W // 2, _CARD_H // 2
    x1 = _left(c1) + half_w + right * (half_w + _COUNT_GAP // 2)
    y1 = _ROWS[r1] + half_h + down * (half_h + _COUNT_GAP // 2)
    x2 = _left(c2) + half_w - right * (half_w + _COUNT_GAP // 2)
    y2 = _ROWS[r2] + half_h - down * (half_h + _COUNT_GAP // 2)
    look = f"lp-{step.state.replace('/', '')}"
    title = (
        f"{loop.stations[step.source]} to {loop.stations[step.target].lower()}:"
        f" {step.state}. {step.reason}"
    )
    mx, my = (x1 + x2) // 2 - 4 * right, (y1 + y2) // 2 - 4 * down
    head = _head(x2, y2, right, down)
    yield (
        f"<g><title>{_e(title)}</title>"
        f'<path class="lp-line {look}" d="M{x1} {y1}L{x2 - 6 * right} {y2 - 6 * down}"/>'
        f'<path class="lp-head {look}" d="{head}"/>'
        f'<circle class="lp-badge {look}" cx="{mx}" cy="{my}" r="11"/>'
        f'<text class="lp-mark {look}" x="{mx}" y="{my + 4}">{MARKS[step.state]}</text></g>'
    )


def _head(x: int, y: int, right: int, down: int) -> str:
    ax, ay = x - 9 * right, y - 9 * down
    return f"M{x} {y}L{ax + 6 * down} {ay + 6 * right}L{ax - 6 * down} {ay - 6 * right}Z"


def _middle(loop: Loop) -> Iterator[str]:
    """What is missing, told in the ring's middle."""
    x, y = _left(1) - 110, _ROWS[1] - 4
    gaps = sorted(loop.missing, key=lambda step: step.state == "partial")
    told = [wrapped(_told(loop, step), _LINE, 2) for step in gaps]
    if sum(map(len, told)) > _LINES:  # no room for second lines
        told = [[fitted(_told(loop, step), _LINE)] for step in gaps]
    most = len(told) if len(told) <= _LINES else _LINES - 1
    y += 11 * (_LINES - min(sum(map(len, told)), _LINES))  # in the middle of its height, too
    yield f'<text class="lp-said" x="{x}" y="{y}">{_e(said(loop))}</text>'
    top = y + 5
    for step, lines in zip(gaps[:most], told[:most], strict=True):
        look = f"lp-{step.state}"
        mark = MARKS[step.state]
        yield f'<text class="lp-mark {look}" x="{x + 6}" y="{top + 22}">{mark}</text>'
        for line in lines:
            top += 22
            yield f'<text class="lp-gap" x="{x + 22}" y="{top}">{_e(line)}</text>'
    if len(gaps) > most:
        yield f'<text class="lp-count" x="{x + 22}" y="{top + 22}">+{len(gaps) - most} more</text>'


def _told(loop: Loop, step: LoopStep) -> str:
    return f"{loop.stations[step.source]} → {_lower(loop, step)}: {step.reason}"


def _lower(loop: Loop, step: LoopStep) -> str:
    return loop.stations[step.target].lower()
