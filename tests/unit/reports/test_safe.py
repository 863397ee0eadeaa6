"""What is shown of the audited repository can do nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.model import RepositoryInfo, Span
from mlops_audit.reports.links import forge_url
from mlops_audit.reports.safe import one_line, short, visible


def _repository(remote: str | None) -> RepositoryInfo:
    return RepositoryInfo("r", "abc", dirty=False, files=1, unread=0, remote_url=remote)


@given(st.text(st.characters(), max_size=80))
def test_nothing_invisible_gets_through(text: str) -> None:
    """Whatever the text, no control, bidi or zero-width character and no surrogate is left."""
    shown = visible(text)
    assert shown.isprintable() or not any(
        ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in shown
    )
    assert not set(shown) & set("\x1b\u202e\u2066\u200b\ufeff\u2028")
    shown.encode("utf-8")


def test_escapes_name_the_character() -> None:
    """What is invisible is shown as an escape."""
    assert visible("a\x1b[1mb\u202ec\x9bd\n") == "a\\x1b[1mb\\u202ec\\x9bd\\n"
    assert visible("a\nb", keep_newlines=True) == "a\nb"
    assert one_line(" a \n\t b ") == "a b"


@given(st.text(max_size=200), st.integers(2, 40))
def test_short_is_short(text: str, limit: int) -> None:
    """A shortened text is one line of at most the limit."""
    found = short(text, limit)
    assert len(found) <= limit
    assert "\n" not in found


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://github.com/a/b.git", "https://github.com/a/b/blob/abc/x%20y.py#L3"),
        ("git@github.com:a/b.git", "https://github.com/a/b/blob/abc/x%20y.py#L3"),
        ("ssh://git@gitlab.x.org:22/g/a/b", "https://gitlab.x.org/g/a/b/-/blob/abc/x%20y.py#L3"),
        ("https://bitbucket.org/a/b", "https://bitbucket.org/a/b/src/abc/x%20y.py#lines-3"),
        ("javascript:alert(1)//a/b", None),
        ("https://x.org/a b\x1b]8", None),
        ("/srv/git/b", None),
        (None, None),
    ],
)
def test_places_link_to_their_forge(remote: str | None, url: str | None) -> None:
    """A remote of a known form gives an https address, any other gives none."""
    assert forge_url(_repository(remote), Span("x y.py", 3)) == url


def test_what_is_no_file_has_no_address() -> None:
    """The repository as a whole and tags have no address; notebooks have one without a line."""
    repository = _repository("https://github.com/a/b")
    assert forge_url(repository, Span(".")) is None
    assert forge_url(repository, Span("tag:v1")) is None
    assert forge_url(repository, Span("n.ipynb", 2, 3)) == (
        "https://github.com/a/b/blob/abc/n.ipynb"
    )
