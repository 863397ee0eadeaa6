"""A project's own files and the facts in its code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Self

from mlops_audit.config import Config
from mlops_audit.facts.code import Module
from mlops_audit.facts.notebooks import Notebook
from mlops_audit.graph.index import CodeIndex
from mlops_audit.graph.ownfiles import OwnFiles
from mlops_audit.regex import regex
from mlops_audit.tree import Entry, GitInfo, Tree

__all__ = ["ProjectFiles"]

# Programs that predict the test set, by the name that a test could have.
_FOR_TEST_SET = regex(r"(^|/)(predict|infer|inference|evaluate|eval|submit)_test\.py$")
_TEST_FILE = regex(r"(^|/)(test_[^/]*|[^/]*_tests?|conftest)\.py$")
_TEST_FOLDER = regex(r"(^|/)(tests?|testing|unit_tests?|integration_tests?|e2e)/")
_EXAMPLE_FOLDER = regex(
    r"(^|/)(examples?|docs?|tutorials?|\.?guides?|samples?|benchmarks?|demos?)/"
)


class ProjectFiles:
    """The files of one project, and what its Python code and notebooks say."""

    def __init__(self, own: OwnFiles) -> None:
        self.own = own
        self.tree = own.tree
        self.config = own.config
        self.folder = own.folder
        self.left_out = own.left_out
        self.paths = own.paths
        self.unread = own.unread
        self.answers: dict[object, object] = {}  # of `memo.once`
        self._texts: dict[str, str | None] = {}
        self._tests: dict[str, bool] = {}

    @classmethod
    def load(cls, tree: Tree, config: Config, folder: str = "") -> Self:
        """The project of a whole tree, or of one of its folders."""
        return cls(OwnFiles(tree, config, folder))

    @property
    def git(self) -> GitInfo | None:
        """What git says; None outside a git repository."""
        return self.tree.git

    def has(self, path: str) -> bool:
        """Whether the project holds that file."""
        return path in self._path_set

    @cached_property
    def _path_set(self) -> frozenset[str]:
        return frozenset(self.paths)

    def entry(self, path: str) -> Entry:
        """Size, kind and blob of a file."""
        return self.tree.entries[path]

    def glob(self, *patterns: str) -> tuple[str, ...]:
        """The paths that match any pattern: `*` within a folder, `**/` any folders, case folded."""
        found = self._globbed.get(patterns)
        if found is None:
            matches = _pattern(patterns).fullmatch
            found = tuple(p for p, low in self._lowered if matches(low))
            self._globbed[patterns] = found
        return found

    @cached_property
    def _globbed(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {}

    @cached_property
    def _lowered(self) -> tuple[tuple[str, str], ...]:
        return tuple((p, p.lower()) for p in self.paths)

    def data(self, path: str) -> bytes | None:
        """A file's bytes; None when it cannot be read, the reason then stands in `unread`."""
        return self.own.data(path)

    def text(self, path: str) -> str | None:
        """A file's text (undecodable bytes replaced); None when it cannot be read."""
        if path not in self._texts:
            data = self.data(path)
            self._texts[path] = None if data is None else data.decode("utf-8", "replace")
        return self._texts[path]

    def lines(self, path: str) -> Sequence[str]:
        """A file's lines without their ends; none when it cannot be read."""
        if path not in self._lines:
            # Not `splitlines`: for an editor, and for Python, a form feed ends no line.
            text = (self.text(path) or "").replace("\r\n", "\n").replace("\r", "\n")
            self._lines[path] = text.removesuffix("\n").split("\n") if text else []
        return self._lines[path]

    @cached_property
    def _lines(self) -> dict[str, list[str]]:
        return {}

    @cached_property
    def _code(self) -> Mapping[str, Module | Notebook]:
        return self.own.code()

    @cached_property
    def notebooks(self) -> Mapping[str, Notebook]:
        """All notebooks by path."""
        return MappingProxyType({p: c for p, c in self._code.items() if isinstance(c, Notebook)})

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """All Python code by path: modules, and the code of Python notebooks."""
        found = {p: c if isinstance(c, Module) else c.module for p, c in self._code.items()}
        return MappingProxyType({p: m for p, m in found.items() if m is not None})

    def is_test(self, path: str) -> bool:
        """Whether a file is a test or test support by its place or name."""
        known = self._tests.get(path)
        if known is None:
            own = self.config.roles.tests
            named = any(path == t or path.startswith(f"{t.rstrip('/')}/") for t in own)
            known = named or bool(_TEST_FILE.search(path) or _TEST_FOLDER.search(path))
            if known and not named and _FOR_TEST_SET.search(path):
                text = self.text(path) or ""
                known = "def test" in text or "unittest" in text or "pytest" in text
            self._tests[path] = known
        return known

    @cached_property
    def test_files(self) -> frozenset[str]:
        """Paths of all test modules."""
        return frozenset(p for p in self.modules if self.is_test(p))

    @cached_property
    def own_code(self) -> tuple[Module, ...]:
        """The code that is no test: modules, and the code of notebooks."""
        return tuple(m for p, m in self.modules.items() if p not in self.test_files)

    @cached_property
    def source(self) -> tuple[Module, ...]:
        """The modules that are neither tests nor notebooks."""
        return tuple(m for m in self.own_code if not m.notebook)

    def is_example(self, path: str) -> bool:
        """Whether a file is an example or documentation of the project."""
        return bool(_EXAMPLE_FOLDER.search(path))

    @cached_property
    def index(self) -> CodeIndex:
        """Names across the project's modules."""
        return CodeIndex(self.modules)


@lru_cache(maxsize=2048)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all patterns; without any it matches nothing."""
    return re.compile("|".join(_expression(g) for g in globs) or r"(?!)")


def _expression(glob: str) -> str:
    parts = []
    i = 0
    text = glob.lower()
    while i < len(text):
        if text.startswith("**/", i):
            parts.append("(?:.*/)?")
            i += 3
        elif text.startswith("**", i):
            parts.append(".*")
            i += 2
        elif text[i] == "*":
            parts.append("[^/]*")
            i += 1
        elif text[i] == "?":
            parts.append("[^/]")
            i += 1
        else:
            parts.append(re.escape(text[i]))
            i += 1
    return "".join(parts)
