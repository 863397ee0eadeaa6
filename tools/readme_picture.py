"""Draw the terminal report of a repository as an SVG for the README; with --png the page too.

    python tools/readme_picture.py build/demo [--name churn] [--rev REV]
        [--svg docs/images/report.svg] [--png docs/images/report-html.png]

The same repository gives the same bytes: identifiers are fixed, and no font is fetched.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from mlops_audit.audit import Request, audit, read_config
from mlops_audit.config import today
from mlops_audit.model import Report
from mlops_audit.reports import Options, render
from mlops_audit.tree import open_tree

ROOT = Path(__file__).parents[1]
WIDTH = 84
# The colours of the HTML report's dark scheme, on which every style of the text is readable.
THEME = TerminalTheme(
    (18, 23, 29),
    (211, 219, 227),
    [
        (18, 23, 29),
        (255, 149, 139),
        (108, 203, 147),
        (227, 177, 85),
        (125, 184, 236),
        (183, 169, 238),
        (118, 200, 214),
        (211, 219, 227),
    ],
)
# Rich's own frame loads a font from the network; this one takes what the reader has.
FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"
 role="img" aria-label="The report of mlops-audit in a terminal">
<style>
.{unique_id}-matrix {{font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono",
monospace; font-size: {char_height}px; line-height: {line_height}px}}
.{unique_id}-title {{font-size: 18px; font-weight: 600; font-family: system-ui, sans-serif}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def report_of(path: str, rev: str | None, name: str | None) -> Report:
    """Audit the repository as `check` does, under another name where one is given."""
    tree = open_tree(path, rev)
    config, _ = read_config(tree, today({}))
    report = audit(tree, config, request=Request(pictures=True))
    return replace(report, repository=replace(report.repository, path=name)) if name else report


def picture(report: Report) -> str:
    """The terminal's text with its colours as an SVG."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, _environ={}
    )
    text = render(report, "text", Options(width=WIDTH, color=True))
    console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)
    return console.export_svg(
        title="mlops-audit", theme=THEME, code_format=FRAME, unique_id="report"
    )


def photograph(report: Report, target: Path, width: int = 1200, height: int = 1300) -> None:
    """Take the top of the HTML report with the Chromium that is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        sys.exit("--png: there is no Chromium on this machine")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        page.write_text(render(report, "html"), encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        options += [f"--window-size={width},{height}", f"--screenshot={target}"]
        subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True)


def main() -> None:
    """Read the command line and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("path", help="the repository to audit")
    parser.add_argument("--rev", help="a revision in place of the work tree")
    parser.add_argument("--name", help="what the picture calls the repository")
    parser.add_argument("--svg", type=Path, default=ROOT / "docs" / "images" / "report.svg")
    parser.add_argument("--png", type=Path, help="a screenshot of the HTML report as well")
    given = parser.parse_args()
    report = report_of(given.path, given.rev, given.name)
    given.svg.parent.mkdir(parents=True, exist_ok=True)
    given.svg.write_text(picture(report), encoding="utf-8")
    print(f"wrote {given.svg}")
    if given.png is not None:
        given.png.parent.mkdir(parents=True, exist_ok=True)
        photograph(report, given.png.resolve())
        print(f"wrote {given.png}")


if __name__ == "__main__":
    main()
