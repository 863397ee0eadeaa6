"""Texts that are made to cost time."""

from __future__ import annotations

import time

import pytest

from mlops_audit.facts.ci import read_workflow, systems
from mlops_audit.facts.kubernetes import read_kubernetes
from mlops_audit.facts.terraform import read_terraform

SIZE = 60_000
TEXTS = {
    "expressions": "on: push\njobs: {a: {steps: [{run: '" + "${{ " * (SIZE // 4) + "'}]}}",
    "azure": "trigger: none\nsteps:\n- script: '" + "${{ " * (SIZE // 4) + "'\n",
    "helm": "kind: x\napiVersion: y\na: {{ .V\n" + "{{/*" * (SIZE // 4),
    "quotes": 'a = "${' + '"${' * (SIZE // 3),
    "groovy": "'''\\" * (SIZE // 4),
    "groovy triple": '"""\\' * (SIZE // 4),
    "blanks": "kind:" + " " * SIZE + "\n" + "steps" + "\t" * SIZE,
    "brackets": "steps: " + "[" * SIZE,
    "braces": "stage {" * (SIZE // 7),
    "dashes": "- " * (SIZE // 2),
    "stars": "on: {push: {branches: ['" + "*a" * (SIZE // 2) + "']}}",
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_costs_seconds(name: str) -> None:
    """Every reader answers within time that grows with the text's length only."""
    data = TEXTS[name].encode()
    for system, signs in systems().items():
        start = time.thread_time()
        signs.looks(data)
        for path in (".github/workflows/x.yml", "azure-pipelines.yml", "Jenkinsfile"):
            read_workflow(system, path, data, lambda _path: None)
        assert time.thread_time() - start < 5, system
    start = time.thread_time()
    read_kubernetes("k.yaml", data)
    read_terraform("main.tf", data)
    assert time.thread_time() - start < 5
