"""Write the two files of a new practice: `python tools/new_practice.py AUT06 "CI runs the tests"`.

Slug, assets, level and sources come from the catalogue's row with this id, or from the options.
Nothing that exists is written over.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from mlops_audit.model import ASSETS, parse_asks  # noqa: E402 -- runs without an installation
from mlops_audit.practices import FOLDERS  # noqa: E402 -- the same

CODE = '''\
"""{title}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_audit.model import Verdict, unknown
from mlops_audit.practices.base import practice

if TYPE_CHECKING:
    from mlops_audit.graph import Project


@practice(
    id="{id}",
    title="{title}",
    assets="{assets}",
    level="{level}",
    sources="{sources}",
    fix="Say here the first step that would mend it.",
)
def {name}(project: Project) -> Verdict:
    """Say here, in a sentence, what decides."""
    return unknown(f"{slug} cannot judge {{project!r}} yet")
'''

TWIN = """\
# {title}

## What it checks

One or two sentences: what is looked at, and what is concluded from it.

## Why it matters

What goes wrong in a team that does not have it.

## What counts

- The evidence that makes it pass.

## What counts in part

- The evidence that makes it partial. Take this section out where the catalogue allows no partial.

## What never counts

- What looks like evidence and is none.

## How to mend

The smallest change that makes it pass, with an example.

## Scenarios

### pass: say what this repository has

```yaml file=dvc.yaml
stages: {{}}  # <- evidence
```

### fail: nothing of it is here

```markdown file=README.md
# A project
```

### hollow: what looks like it and is none

```yaml file=dvc.yaml
# stages: {{}}  # <- evidence
```
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the pair; returns the exit code, 2 for a call that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("id", help="three letters and two digits: AUT06")
    parser.add_argument("title", help="a statement that should be true: 'CI runs the tests'")
    parser.add_argument("--slug", help="ci-runs-tests")
    parser.add_argument("--assets", help=f"of {', '.join(ASSETS)}; comma-separated")
    parser.add_argument("--level", help="the catalogue's notation: '2s, 5M'")
    parser.add_argument("--sources", help="keys of the catalogue's sources: 'S0 S1'")
    parser.add_argument("--into", type=Path, default=ROOT / "src/mlops_audit/practices")
    options = parser.parse_args(arguments)

    row = _row(options.id)
    for key in ("slug", "assets", "level", "sources"):
        row[key] = getattr(options, key) or row.get(key, "")
        if not row[key]:
            parser.error(f"{options.id} is not in the catalogue: give --{key}")
    folder = {key: name for name, key in FOLDERS.items()}.get(options.id[:3])
    name = row["slug"].replace("-", "_")
    if not folder or not re.fullmatch(r"[A-Z]{3}\d\d", options.id):
        parser.error(f"{options.id} is no id: {', '.join(FOLDERS.values())} and two digits")
    if not name.isidentifier() or '"' in options.title or "\\" in options.title:
        parser.error("the slug is words and dashes, the title has no quotes or backslashes")
    try:
        parse_asks(row["level"])
    except ValueError as error:
        parser.error(str(error))

    words = {**row, "id": options.id, "title": options.title, "name": name}
    pair = {".py": CODE, ".md": TWIN}
    paths = {suffix: options.into / folder / f"{name}{suffix}" for suffix in pair}
    for path in paths.values():
        if path.exists():
            parser.error(f"{path} exists")
    for suffix, text in pair.items():
        paths[suffix].write_text(text.format(**words), encoding="utf-8")
        print(paths[suffix])
    return 0


def _row(id_: str) -> dict[str, str]:
    """The catalogue's row, empty where there is none."""
    with (ROOT / "tests/contracts/catalogue.csv").open(encoding="utf-8", newline="") as file:
        return next((dict(row) for row in csv.DictReader(file) if row["id"] == id_), {})


if __name__ == "__main__":
    sys.exit(main())
