"""Text of the audited repository, made safe to show: it can neither colour nor move anything."""

from __future__ import annotations

import re
import unicodedata

from mlops_audit.regex import regex

__all__ = ["one_line", "short", "visible"]

# C0 and C1 controls, DEL, lone surrogates, and what changes the direction or hides: bidi marks,
# embeddings and isolates, zero-width characters, line and paragraph separators, tags, BOM; and the
# two noncharacters that no XML may hold.
_UNSAFE = regex(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str, *, keep_newlines: bool = False) -> str:
    r"""Show every character that is invisible or moves the cursor as an escape such as `\x1b`."""

    def escape(match: re.Match[str]) -> str:
        char = match[0]
        if char == "\n" and keep_newlines:
            return char
        code = ord(char)
        if char in "\t\n\r":
            return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}[char]
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 -- a byte

    return _UNSAFE.sub(escape, text)


def one_line(text: str) -> str:
    """Fold white space into single spaces, then show what is invisible."""
    return visible(re.sub(r"[ \t\r\n]+", " ", text).strip())


def short(text: str, limit: int) -> str:
    """One safe line of at most `limit` characters, combining marks limited."""
    folded = one_line(text[: limit * 4])
    if sum(unicodedata.combining(c) > 0 for c in folded) > limit // 4:
        folded = "".join(c for c in folded if not unicodedata.combining(c))
    return folded if len(folded) <= limit else f"{folded[: limit - 1]}…"
