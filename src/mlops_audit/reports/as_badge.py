"""The badge as an SVG of its own: no network, no font to load, a name for screen readers."""

from __future__ import annotations

import unicodedata
from html import escape

from mlops_audit.model import Report
from mlops_audit.reports import Options
from mlops_audit.reports.as_badge_json import LABEL, color, message

__all__ = ["render"]

# Widths of Verdana at 11 px, in px, by kind of character: near enough that `textLength`, which
# makes other fonts fit, stretches nothing that an eye would see.
_WIDTHS = ((" ijlI.,:;'|!·", 3.7), ("/frt()-", 4.7), ("mwMW@%", 10.2))
_LOWER, _UPPER, _BEYOND = 6.7, 7.7, 11.0
_PADDING = 10


def _character(char: str) -> float:
    for characters, width in _WIDTHS:
        if char in characters:
            return width
    if char.isascii():
        return _UPPER if char.isupper() else _LOWER
    return _BEYOND if unicodedata.east_asian_width(char) in "WF" else _LOWER


def _width(text: str) -> int:
    return round(sum(map(_character, text))) + 2 * _PADDING


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the picture."""
    said = message(report)
    left, right = _width(LABEL), _width(said)
    title = escape(f"{LABEL}: {said}", quote=True)
    texts = "".join(
        f'<text x="{x}" y="14" textLength="{width - 2 * _PADDING}">{escape(text)}</text>'
        for x, width, text in ((left / 2, left, LABEL), (left + right / 2, right, said))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-label="{title}"><title>{title}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color(report)}"/></g>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif"'
        f' font-size="11">{texts}</g></svg>\n'
    )
