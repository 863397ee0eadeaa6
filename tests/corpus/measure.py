"""Compare verdicts with the labels beside this file: measure.py FOLDER_OF_CLONES [ID...]."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from mlops_audit import check

LABELS = Path(__file__).parent / "labels"


def compare(labels: Path, clone: Path, ids: tuple[str, ...]) -> Counter[str]:
    """Count agreements of one repository, and print each difference."""
    rows = list(csv.DictReader(labels.open(encoding="utf-8")))
    found = {f.practice.id: f for f in check(str(clone), rev=rows[0]["commit"]).findings}
    count: Counter[str] = Counter()
    for row in rows:
        practice, want = row["practice"], row["outcome"]
        if row["confidence"] == "low" or want == "unknown" or (ids and practice not in ids):
            continue
        got = found[practice].outcome.value
        count.update(
            rows=1,
            exact=got == want,
            tool=got == "pass",
            label=want == "pass",
            both=got == want == "pass",
        )
        if got != want:
            print(f"  {practice} label {want}, tool {got}: {found[practice].verdict.reason}")
    return count


def main() -> None:
    """Print a line a repository and the whole."""
    clones, ids = Path(sys.argv[1]), tuple(sys.argv[2:])
    total: Counter[str] = Counter()
    for labels in sorted(LABELS.glob("*.csv")):
        if not (clones / labels.stem).is_dir():
            print(f"{labels.stem}: no clone")
            continue
        print(labels.stem)
        total += compare(labels, clones / labels.stem, ids)
    exact, precision, recall = (
        round(total[a] / max(1, total[b]), 3)
        for a, b in (("exact", "rows"), ("both", "tool"), ("both", "label"))
    )
    print(f"rows {total['rows']} exact {exact} precision {precision} recall {recall}")


if __name__ == "__main__":
    main()
