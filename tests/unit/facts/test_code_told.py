"""How a call is told in evidence."""

from __future__ import annotations

from mlops_audit.facts.python import read_python


def test_a_call_is_told_as_its_line_shows_it() -> None:
    """A method whose receiver stands on the lines above is told from its dot on."""
    module = read_python("train.py", b"Ridge(\n    alpha=1,\n).fit(x, y)\nprint(x)\n")
    told = {c.method: (c.span.line, c.told) for c in module.calls}
    assert told["fit"] == (3, "….fit(x, y)")
    assert told["print"] == (4, "print(x)")
    module = read_python("train.py", b"y = (\n    frame(a)\n    .sum(1)\n)\n")
    assert [c.told for c in module.calls if c.method == "sum"] == ["….sum(1)"]


def test_a_method_after_a_long_receiver_is_named() -> None:
    """What stands above is longer than what is kept of a call's text."""
    rows = "".join(f'    .with_column("column_{n}", df.column_{n})\n' for n in range(12))
    module = read_python("train.py", f"(\n    df\n{rows}    .join(other)\n)\n".encode())
    told = {c.method: c.told for c in module.calls}
    assert told["join"] == "….join(…)"
