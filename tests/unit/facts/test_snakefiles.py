"""Snakefiles are read as the Python that they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.snakefiles import is_snakefile, read_snakemodule

TEXT = b'''\
"""All steps."""
import os
configfile: "config.yaml"
include: "rules/prep.smk"

rule all:
    input: "m.csv"

use rule prep from other as other_prep with:
    output:
        "x"
use rule * from other as o_*

rule train:  # the model
    input:
        script=os.path.join("scripts", "train.py"),
        data="d.npz",
    output: "m.pt"
    threads: 4
    run:
        import torch
        if config["lr"]:
            torch.save(fit(config["lr"]), output[0])  # weights

if config.get("extra"):
    rule extra:
        output: "e"
        shell:
            """
            python {input.script} # {output}
            """

def fit(lr):
    rule = {"a": 1}
    return rule
'''


def test_rules_are_functions() -> None:
    """Rules become functions that the module runs, directives calls, lines keep their numbers."""
    module = read_snakemodule("Snakefile", TEXT)
    assert not module.error
    names = {f.qualname: f.span.line for f in module.functions}
    assert names == {
        "rule_all": 6, "rule_other_prep": 9, "rule_train": 14, "rule_extra": 26, "fit": 33
    }  # fmt: skip
    inside = {c.name: c.span.line for c in module.calls_in("rule_train")}
    assert inside["torch.save"] == 23
    assert inside["snakemake.workflow.input"] == 15
    assert {c.name for c in module.calls_in("")} >= {
        ":rule_train", ":rule_extra", "snakemake.workflow.configfile", "snakemake.workflow.include"
    }  # fmt: skip
    assert module.main_line == 6


@pytest.mark.parametrize(
    ("path", "known"),
    [("Snakefile", True), ("workflow/rules/a.smk", True), ("Snakefile_gw.smk", True),
     ("run.snakefile", True), ("snakefiles.py", False), ("a/Snakefile.py/x.txt", False)],
)  # fmt: skip
def test_names(path: str, known: bool) -> None:  # noqa: FBT001 -- a table's column
    """Snakefiles are told by their names."""
    assert is_snakefile(path) is known


def test_broken() -> None:
    """What is no Snakemake is said to be none."""
    assert read_snakemodule("Snakefile", b"rule a:\n  input: (").error


@given(st.one_of(st.binary(max_size=200), st.text("rule a:\n inputshell\"'()#", max_size=80)))
def test_anything_is_read(data: bytes | str) -> None:
    """No content makes the reader raise."""
    raw = data.encode() if isinstance(data, str) else data
    assert read_snakemodule("Snakefile", raw).path == "Snakefile"
