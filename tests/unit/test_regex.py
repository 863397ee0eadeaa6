"""Expressions that are compiled when they are first asked."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re
import warnings

import pytest

import mlops_audit
from mlops_audit.regex import _Lazy, regex


def test_it_matches_as_the_compiled_one() -> None:
    """Every way of asking gives what `re.compile` gives."""
    lazy, plain = regex(r"(a)\s*", re.IGNORECASE), re.compile(r"(a)\s*", re.IGNORECASE)
    text = "xA a,a"
    assert lazy.sub("-", text) == plain.sub("-", text)
    assert lazy.findall(text) == plain.findall(text)
    assert lazy.split(text) == plain.split(text)
    assert [m.span() for m in lazy.finditer(text)] == [m.span() for m in plain.finditer(text)]
    assert (lazy.match(text), lazy.fullmatch(text)) == (None, None)
    found = lazy.search(text, 2)
    assert found is not None
    assert found.span() == (3, 4)


def test_it_tells_its_text_and_has_nothing_else() -> None:
    """The text can be put into another expression; what an expression lacks is told as ever."""
    lazy = regex("a|b", re.MULTILINE)
    assert (lazy.pattern, lazy.flags) == ("a|b", re.MULTILINE)
    with pytest.raises(AttributeError, match="serch"):
        lazy.serch  # type: ignore[attr-defined]  # noqa: B018 -- the mistake that is shown


def test_every_expression_of_the_package_can_be_compiled() -> None:
    """A wrong expression is found here, and not by the first repository that needs it."""
    for module in pkgutil.walk_packages(mlops_audit.__path__, "mlops_audit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.unfreeze()  # what a command froze at its end is not listed
    known = [each for each in gc.get_objects() if isinstance(each, _Lazy)]
    assert len(known) > 1000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for each in known:
            re.compile(each.pattern, each.flags)
