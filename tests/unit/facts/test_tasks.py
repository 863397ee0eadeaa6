# ruff: noqa: ISC004 -- files as text over several lines
"""What the readers of TOML, YAML, JSON and Python task files give."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_audit.facts.taskfiles import (
    read_mlproject,
    read_package_json,
    read_procfile,
    read_python_tasks,
    read_spacy,
    read_taskfile,
)
from mlops_audit.facts.tasks import read_toml_tasks
from mlops_audit.facts.types import Target, Unreadable

Read = Callable[[bytes, str], tuple[Target, ...] | Unreadable]


def shown(read: Read, text: str, path: str) -> dict[str, list[str]]:
    """Give runner:name with commands (soft ones with a tilde), needs (&) and calls (@)."""
    targets = read(text.encode(), path)
    assert not isinstance(targets, Unreadable)
    return {
        f"{t.runner}:{t.name}": [
            *(
                f"{'~' if c.soft else ''}{c.cwd and c.cwd + '> '}{' '.join(c.argv)}"
                for c in t.commands
            ),
            *(f"&{n}" for n in t.needs),
            *(f"@{n}" for n in t.calls),
        ]
        for t in targets
    }


PYPROJECT = """\
[tool.poe.tasks]
test = "pytest -q"
lint.cmd = "ruff check"
check = ["lint", "test"]
all = { sequence = [{ cmd = "mypy" }, { ref = "test" }], ignore_fail = true }
go = { script = "pkg.cli:main(x=1)" }
sh = { shell = "cd a; make", deps = ["lint"] }
[tool.hatch.envs.default.scripts]
t = "pytest {args:tests}"
both = ["- black .", "t"]
[tool.pdm.scripts]
p = { cmd = ["pytest", "-q"] }
c = { composite = ["p"] }
f = { call = "pkg:main" }
[tool.pixi.tasks]
x = { cmd = "make", depends-on = ["y"], cwd = "sub" }
y = "ls"
[tool.taskipy.tasks]
k = "pytest"
"""


def test_pyproject() -> None:
    """poe, hatch, PDM, pixi and taskipy tasks give commands, needs and functions."""
    assert shown(read_toml_tasks, PYPROJECT, "pyproject.toml") == {
        "poe:test": ["pytest -q"],
        "poe:lint": ["ruff check"],
        "poe:check": ["&lint", "&test"],
        "poe:all": ["~mypy", "&test"],
        "poe:go": ["@pkg.cli:main"],
        "poe:sh": ["~cd a", "a> make", "&lint"],
        "hatch:t": ["pytest tests"],
        "hatch:both": ["~black .", "&t"],
        "pdm:p": ["pytest -q"],
        "pdm:c": ["p", "&p"],
        "pdm:f": ["@pkg:main"],
        "pixi:x": ["sub> make", "&y"],
        "pixi:y": ["ls"],
        "taskipy:k": ["pytest"],
    }


@pytest.mark.parametrize(
    ("read", "path", "text", "expected"),
    [
        (
            read_toml_tasks,
            "mise.toml",
            '[tasks.t]\nrun = ["a", "b"]\ndepends = ["u"]\n[tasks]\nu = "x"\n',
            {"mise:t": ["a", "b", "&u"], "mise:u": ["x"]},
        ),
        (
            read_taskfile,
            "Taskfile.yml",
            "vars: {S: src}\ntasks:\n  t:\n    dir: d\n    deps: [u]\n    cmds:\n"
            "      - ruff {{.S}}\n      - {task: v}\n      - {cmd: x, ignore_error: true}\n"
            "  u: ls\n",
            {"task:t": ["d> ruff src", "~d> x", "&u", "&v"], "task:u": ["ls"]},
        ),
        (
            read_package_json,
            "package.json",
            '{"scripts": {"test": "jest", "pretest": "lint"}}',
            {"npm:test": ["jest", "&pretest"], "npm:pretest": ["lint"]},
        ),
        (read_procfile, "Procfile", "web: gunicorn app\n", {"procfile:web": ["gunicorn app"]}),
        (
            read_mlproject,
            "MLproject",
            "entry_points:\n  main:\n    parameters:\n      lr: {type: float, default: 0.1}\n"
            '    command: "python t.py --lr {lr} {x}"\n',
            {"mlproject:main": ["python t.py --lr 0.1 {x}"]},
        ),
        (
            read_spacy,
            "project.yml",
            "vars: {n: {k: m}}\ncommands:\n- name: t\n  script: ['spacy train ${vars.n.k}']\n"
            "  outputs: [o]\nworkflows: {all: [t]}\n",
            {"spacy:t": ["spacy train m"], "spacy:all": ["&t"]},
        ),
        (
            read_python_tasks,
            "tasks.py",
            'from invoke import task\nS = "src"\n@task\ndef lint_all(c):\n'
            '    c.run(f"ruff {S}", warn=True)\n@task(lint_all)\ndef test(c):\n'
            '    with c.cd("a"):\n        c.run("pytest")\n',
            {"invoke:lint-all": ["~ruff src"], "invoke:test": ["a> pytest", "&lint-all"]},
        ),
        (
            read_python_tasks,
            "dodo.py",
            'def task_t():\n    return {"actions": ["pytest"], "file_dep": ["a"]}\n',
            {"doit:t": ["pytest"]},
        ),
    ],
)
def test_task_files(read: Read, path: str, text: str, expected: dict[str, list[str]]) -> None:
    """Each kind of task file gives its targets."""
    assert shown(read, text, path) == expected


READERS = [read_toml_tasks, read_taskfile, read_package_json, read_procfile, read_mlproject]
READERS += [read_spacy, read_python_tasks]


@given(st.sampled_from(READERS), st.binary(max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_bytes(read: Read, data: bytes) -> None:
    """No bytes raise."""
    read(data, "x.toml")
