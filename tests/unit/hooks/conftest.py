"""Files of a coming commit from dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from mlops_audit.hooks.base import Files, Hook


class Given:
    """`hooks.base.Files` in memory."""

    def __init__(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        self.before, self.after = dict(before), dict(after)

    def changed(self) -> Mapping[str, str]:
        """What differs between before and after."""
        found = {p: "M" if p in self.before else "A" for p, d in self.after.items()
                 if self.before.get(p) != d}  # fmt: skip
        return found | {p: "D" for p in self.before if p not in self.after}

    def names(self) -> Sequence[str]:
        """The changed files that are there."""
        return [p for p, status in self.changed().items() if status != "D"]

    def all_names(self) -> Sequence[str]:
        """All files after the change."""
        return list(self.after)

    def sizes(self, paths: Sequence[str]) -> Mapping[str, int]:
        """Their lengths."""
        return {p: len(self.after[p]) for p in paths if p in self.after}

    def head(self, path: str, size: int) -> bytes:
        """The first bytes."""
        return self.after.get(path, b"")[:size]

    def read_all(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Their contents."""
        return {p: self.after[p] for p in paths if p in self.after}


Run = Callable[..., list[str]]


@pytest.fixture
def run() -> Run:
    """Run a hook over a change; its problems as lines. None stands for a deleted file."""

    def _run(
        hook: Hook,
        after: Mapping[str, bytes | str | None],
        before: Mapping[str, bytes | str | None] | None = None,
    ) -> list[str]:
        def plain(files: Mapping[str, bytes | str | None]) -> dict[str, bytes]:
            kept = {p: d for p, d in files.items() if d is not None}
            return {p: d.encode() if isinstance(d, str) else d for p, d in kept.items()}

        old = plain(before or {})
        stay = {p: d for p, d in old.items() if after.get(p, d) is not None}
        files: Files = Given(old, stay | plain(after))
        return [str(problem) for problem in hook(files)]

    return _run
