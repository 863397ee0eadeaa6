"""Tests in other languages than Python, read by their frameworks' own words.

Only what is plain in the text is counted: a named test case whose body holds an assertion.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = ["foreign_tests"]

_MAX_BYTES = 400_000
_MAX_FILES = 400
# File name, how a test case begins, and what an assertion looks like.
_LANGUAGES = (
    (regex(r"\.(test|spec)\.(js|jsx|ts|tsx|mjs|cjs)$|(^|/)__tests__/.*\.(js|jsx|ts|tsx)$"),
     regex(r"^[ \t]*(?:it|test)(?:\.each\([^)]{0,200}\))?\(\s*['\"`]", re.MULTILINE),
     regex(r"\bexpect\(|\bassert[.(]|\.should\b")),
    (regex(r"_test\.go$"),
     regex(r"^func Test\w*\(", re.MULTILINE),
     regex(r"\bt\.(Error|Fatal|Fail)|\b(assert|require)\.\w")),
    (regex(r"\.rs$"),
     regex(r"^[ \t]*#\[(?:\w+::)?test\]", re.MULTILINE),
     regex(r"\bassert(_eq|_ne)?!|\bshould_panic|\?;")),
    (regex(r"(Test|Tests|IT|Spec)\.(java|kt|scala)$|(^|/)Test\w+\.java$"),
     regex(r"^[ \t]*@(?:Parameterized)?Test\b|^\s*(?:it|test)\(\"", re.MULTILINE),
     regex(r"\bassert\w*|\bverify\(|\bshould\b")),
    (regex(r"(^|/)tests?/testthat/test[^/]*\.[rR]$"),
     regex(r"^[ \t]*test_that\(", re.MULTILINE),
     regex(r"\bexpect_\w+")),
    (regex(r"(^|/)test/[^/]*\.jl$"),
     regex(r"^[ \t]*@testset\b", re.MULTILINE),
     regex(r"@test\b")),
    (regex(r"(^|/)[^/]*[tT]ests?[^/]*\.(cc|cpp|cxx)$"),
     regex(r"^[ \t]*(?:TEST|TEST_F|TEST_P|TEST_CASE|BOOST_AUTO_TEST_CASE)\(", re.MULTILINE),
     regex(r"\b(EXPECT|ASSERT|REQUIRE|CHECK|BOOST_CHECK)\w*\(")),
    (regex(r"Tests?\.cs$"),
     regex(r"^[ \t]*\[(?:Fact|Theory|Test|TestMethod)\b", re.MULTILINE),
     regex(r"\bAssert\.|\.Should\(")),
)  # fmt: skip
_SKIPPED = regex(r"#\[ignore|\bit\.skip|\btest\.skip|@Disabled|@Ignore|\bxit\(")


def foreign_tests(project: Project) -> tuple[Evidence, ...]:
    """The test cases with assertions in languages other than Python, by place."""
    found: list[Evidence] = []
    files = 0
    for path in project.paths:
        language = next((lang for lang in _LANGUAGES if lang[0].search(path)), None)
        if language is None or files >= _MAX_FILES:
            continue
        entry = project.entry(path)
        if (entry.size or 0) > _MAX_BYTES:
            continue
        files += 1
        found += _cases(path, project.text(path) or "", language)
    return tuple(found)


def _cases(
    path: str, text: str, language: tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]
) -> list[Evidence]:
    _, begins, asserts = language
    starts = [m.start() for m in begins.finditer(text)]
    found = []
    for start, end in pairwise([*starts, len(text)]):
        body = text[start:end]
        if asserts.search(body) and not _SKIPPED.search(body[:200]):
            line = text.count("\n", 0, start + len(body) - len(body.lstrip())) + 1
            found.append(Evidence(Span(path, line), body.strip().splitlines()[0]))
    return found
