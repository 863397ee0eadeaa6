"""Whether a text of a document says something yet, or waits to be filled in."""

from __future__ import annotations

import re
from functools import lru_cache

from mlops_audit.facts.documents import COMMENT, without_markup
from mlops_audit.regex import regex

__all__ = ["is_placeholder"]

_PLACEHOLDER = regex(
    r"\b(?:todo|tbd|tba|fixme|xxx|lorem ipsum|coming soon|work in progress|under construction|"
    r"to be (?:written|added|defined|done|completed)|fill (?:this|me|in)|more information needed|"
    r"placeholder|insert (?:here|text|your)|describe (?:here|your)|your text here|"
    r"add (?:text|description) here|not yet (?:written|documented))\b"
    r"|\[(?:insert|more information needed|your|todo|tbd|add|optional)[^\]\n]{0,80}\]"
    r"|<(?:your|insert|todo|tbd|describe|add)[^>\n]{0,80}>|\{\{[^}\n]{0,80}\}\}|\.\.\.\s*$"
    # A form's own instruction.
    r"|^\W{0,4}(?:describe|explain|specify|outline)\s(?:who|what|which|how|why|where|the|any)\b",
    re.IGNORECASE,
)

# Without one of these, none of the above is there.
_SUSPECT = (
    "todo", "tbd", "tba", "fixme", "xxx", "lorem ipsum", "coming soon", "work in progress",
    "under construction", "to be ", "fill ", "information needed", "placeholder", "insert",
    "describe", "your text", "add ", "not yet ", "[your", "[add", "[optional", "<your", "<add",
    "{{", "...", "explain", "specify", "outline",
)  # fmt: skip
_LINE_SIGNS = regex(r"(?m)^[ \t]*(?:[#>*+|_=-]+|\d+[.)])[ \t]*")
_TOLD = regex(r"[^\W_]{2,}")

# A cell or line that is nothing but `<name>`: no tag of HTML has words and no attributes.
_BLANK_FIELD = regex(r"(?:[\s|,;]{0,9}<(?!https?:|mailto:)[a-z][a-z _-]{0,40}>){1,20}[\s|]{0,9}")


@lru_cache(maxsize=4096)  # many practices ask of the same paragraphs
def is_placeholder(text: str) -> bool:
    """Whether a text says nothing yet: empty, TODO, lorem ipsum, `<your …>`, unfilled template.

    A long text with one TODO in it is filled in; what counts is that nothing else is said.
    """
    body = without_markup(COMMENT.sub("", text)) if "<!--" in text else text
    if _BLANK_FIELD.fullmatch(body):
        return True
    lowered = body.lower()
    for word in _SUSPECT:  # a generator would double the time of this, which is asked a lot
        if word in lowered:
            break
    else:
        return _TOLD.search(_LINE_SIGNS.sub(" ", body)) is None
    rest, marks = _PLACEHOLDER.subn(" ", body)
    rest = _LINE_SIGNS.sub(" ", rest)
    if not marks:
        return _TOLD.search(rest) is None
    return len(_TOLD.findall(rest)) < 8 * marks
