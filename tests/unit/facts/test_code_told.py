"""How a call is told in evidence."""

from __future__ import annotations

from mlops_audit.facts.python import read_python


def test_a_call_is_told_as_its_line_shows_it() -> None:
    """A method whose receiver stands on the lines above is told from its dot on."""
    module = read_python("train.py", b"Ridge(\n    alpha=1,\n).fit(x, y)\nprint(x)\n")
    told = {c.method: (c.span.line, c.told) for c in module.calls}
    assert told["fit"] == (3, "….fit(x, y)")
    assert told["print"] == (4, "print(x)")
