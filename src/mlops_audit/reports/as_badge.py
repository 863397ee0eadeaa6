"""The badge as an SVG of its own: no network, no font to load, a name for screen readers."""

from __future__ import annotations

from html import escape

from mlops_audit.model import Report
from mlops_audit.reports import Options
from mlops_audit.reports.as_badge_json import LABEL, color, message

__all__ = ["render"]

_CHARACTER = 6.3  # mean width of Verdana at 11 px, in px
_PADDING = 10


def _width(text: str) -> int:
    return round(len(text) * _CHARACTER) + 2 * _PADDING


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
