"""Which reader reads which file of a tree."""

from __future__ import annotations

from mlops_audit.facts.targets import read_targets

FILES = {
    "Makefile": b"a:\n\tls\n",
    "sub/Makefile.dev": b"b:\n\tls\n",
    "pyproject.toml": b"[tool.poe.tasks]\nc = 'ls'\n[tool.tox.env.d]\ncommands = [['ls']]\n",
    ".config/mise.toml": b"[tasks]\ne = 'ls'\n",
    "app/tasks.py": b"from celery import task\n@task\ndef no(c): pass\n",
    "tasks.py": b"from invoke import task\n@task\ndef f(c): c.run('ls')\n",
    ".husky/pre-commit": b"ls\n",
    "m/dvc.yaml": b"stages: {g: {cmd: ls}}\n",
    ".pre-commit-config.yaml": b"repos: [{repo: local, hooks: [{id: h, entry: ls}]}]\n",
    "Taskfile.yml": b"a: [",
    "docs/README.md": b"",
    "x/Dockerfile": b"FROM a\nRUN ls\n",
    "x/compose.yaml": b"services: {i: {command: ls}}\n",
}


def test_dispatch() -> None:
    """Every task file gives its targets, sorted by path; what is broken is a fact."""
    targets, unreadable = read_targets(FILES, FILES.get)
    assert [(t.runner, t.name) for t in targets] == [
        ("mise", "e"),
        ("husky", "pre-commit"),
        ("pre-commit", "h"),
        ("make", "a"),
        ("dvc", "g"),
        ("poe", "c"),
        ("tox", "d"),
        ("make", "b"),
        ("invoke", "f"),
        ("docker-build", "x/Dockerfile"),
        ("compose", "i"),
    ]
    assert [u.span.path for u in unreadable] == ["Taskfile.yml"]
    assert all(t.commands for t in targets)
