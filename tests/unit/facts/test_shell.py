"""What the shell reader finds in scripts, CI steps and recipes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command


def read(text: str, **options: object) -> tuple[Command, ...]:
    """Parse a text of `scripts/x.sh`."""
    return parse_shell(text, path="scripts/x.sh", **options)  # type: ignore[arg-type]


def argvs(text: str, **options: object) -> list[tuple[str, ...]]:
    """Give the words of each command."""
    return [c.argv for c in read(text, **options)]


def find(text: str, program: str, **options: object) -> Command:
    """Give the first command of that program."""
    return next(c for c in read(text, **options) if c.program == program)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pytest 'a b' \"c d\" e\\ f", ("pytest", "a b", "c d", "e f")),
        ("pytest \\\n  -x # why", ("pytest", "-x")),
        ("A=1 B=2 python t.py", ("python", "t.py")),
        ("python t.py ${{ github.ref }}", ("python", "t.py", "${{ github.ref }}")),
        ("echo $(Build.Id) $[ x ] {{ a b }}", ("echo", "$(Build.Id)", "$[ x ]", "{{ a b }}")),
        ("python src\\train.py", ("python", "src\\train.py")),
        ("X=out; rm $X ${Y:-z} $Z", ("rm", "out", "z", "$Z")),
        ('O="-a -b"; go $O "$O"', ("go", "-a", "-b", "-a -b")),
        ("it's prose", ("it's", "prose")),
        ("cmd 2>&1 >out.txt arg", ("cmd", "arg")),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    """Quotes, escapes, continuations, variables and template expressions give a shell's words."""
    assert argvs(text)[-1] == words


def test_lines_and_folders() -> None:
    """Each command knows its line and the folder that the `cd`s before it lead to."""
    commands = read("cd a\n(cd b && make)\nls\ncd ..; pwd", line=10)
    assert [(c.program, c.span.line, c.cwd) for c in commands] == [
        ("cd", 10, ""),
        ("cd", 11, "a"),
        ("make", 11, "a/b"),
        ("ls", 12, "a"),
        ("cd", 13, "a"),
        ("pwd", 13, ""),
    ]


@pytest.mark.parametrize(
    "text",
    [
        'cd "$(dirname "$0")/.." && make',
        'D="$( cd "$( dirname "${BASH_SOURCE[0]}" )" >/dev/null 2>&1 && pwd )"\ncd $D/..\nmake',
        "cd $(git rev-parse --show-toplevel)\nmake",
        "cd $GITHUB_WORKSPACE\nmake",
    ],
)
def test_known_folders(text: str) -> None:
    """The idioms for the script's own folder and the repository's root are understood."""
    assert find(text, "make", cwd="elsewhere" if "root" in text else "").cwd == ""


@pytest.mark.parametrize(
    ("text", "errexit", "soft"),
    [
        ("pytest || true", True, True),
        ("pytest || echo bad", True, True),
        ("pytest || exit 1\nls", False, False),
        ("pytest || { echo bad; exit 1; }\nls", False, False),
        ("pytest | tee log", True, True),
        ("set -o pipefail\npytest | tee log", True, False),
        ("pytest\nls", True, False),
        ("pytest\nls", False, True),
        ("set -e\npytest\nls", False, False),
        ("set +e\npytest\nls", True, True),
        ("#!/bin/bash -e\npytest\nls", False, False),
        ("if pytest; then ls; fi", True, True),
        ("if ! pytest; then exit 1; fi\nls", False, False),
        ("if pytest; then ls; else exit 1; fi\nls", False, False),
        ("pytest; exit 0", False, True),
        ("pytest\nR=$?\nls $R\nexit $R", False, False),
        ("pytest\nR=$?\nexit $R", False, False),
        ("pytest\nls\nR=$?\nexit $R", False, True),
        ("pytest\nif [ $? -ne 0 ]; then exit 1; fi\nls", False, False),
        ("pytest || F=1\nls\nexit $F", True, False),
        ("pytest && ls\nls", True, True),
        ("pytest && ls", True, False),
        ("(cd a && pytest)\nls", True, False),
        ("pytest &\nwait", True, True),
        ("X=$(pytest -x)\nls", True, False),
        ("echo $(pytest -x)", True, True),
        ('bash -c "pytest"\nls', True, False),
        ('bash -c "pytest; ls"', True, True),
        ('bash -ec "pytest; ls"', True, False),
    ],
)
def test_soft(text: str, errexit: bool, soft: bool) -> None:  # noqa: FBT001 -- table columns
    """A command is soft exactly when its failure cannot fail the text."""
    assert find(text, "pytest", errexit=errexit).soft is soft


def test_heredocs() -> None:
    """A heredoc fed to a shell is read as commands, one fed to another program is kept."""
    commands = read("bash <<E\ndvc repro\nE\npython - <<'E'\nprint(1)\nE\ncat >f.txt <<E\nx\nE\n")
    assert [(c.argv, c.span.line, c.stdin, c.stdout) for c in commands] == [
        (("bash",), 1, "dvc repro", ""),
        (("dvc", "repro"), 2, "", ""),
        (("python", "-"), 4, "print(1)", ""),
        (("cat",), 7, "x", "f.txt"),
    ]


def test_conditions_and_loops() -> None:
    """Bodies carry their condition; short literal loops are unrolled; `case` follows arguments."""
    assert find("if [ -f x ]; then pytest; fi", "pytest").condition == "[ -f x ]"
    assert argvs("for d in a b; do pytest $d; done") == [("pytest", "a"), ("pytest", "b")]
    text = "case $1 in\n a) one ;;\n b|c) two ;;\nesac"
    assert argvs(text) == [("one",), ("two",)]
    assert argvs(text, args=("c",)) == [("two",)]


def test_functions() -> None:
    """Functions count where they are called, and all of them behind a variable."""
    assert argvs("f() { pytest $1; }\ng() { mypy; }\nf unit") == [("pytest", "unit")]
    dynamic = read('f() { pytest; }\n"$@"')
    assert [c.program for c in dynamic] == ["$@", "pytest"]


def test_unreachable() -> None:
    """What stands after an unconditional exit, or under `if false`, never runs."""
    assert argvs("ls\nexit 0\npytest") == [("ls",), ("exit", "0")]
    assert argvs("if false; then pytest; fi") == [("false",)]
    assert ("pytest",) in argvs("[ -n x ] || exit 0\npytest")


def test_environment_and_remote() -> None:
    """Exports and prefixes give a command's environment; `ssh host cmd` is read too."""
    assert dict(find("export A=1\nB=2 python t.py", "python").env) == {"A": "1", "B": "2"}
    up = find('ssh -i k u@h "cd /srv && docker compose up -d"', "docker")
    assert (up.cwd, up.soft) == ("/srv", False)


def test_windows() -> None:
    """Batch continuations, comments and `call` are understood as far as it matters."""
    text = "pip install ^\n -r r.txt\nREM pytest\n@call tox"
    assert argvs(text, dialect="cmd") == [("pip", "install", "-r", "r.txt"), ("tox",)]


@pytest.mark.parametrize(
    "piece",
    [
        "$(",
        "${",
        "`",
        "'",
        '"',
        "{{",
        "${{",
        "(",
        "[[ ",
        "if ",
        "<<E\n",
        "f() {",
        "a && ",
        "$($(",
        '"$(',
    ],
)
def test_hostile_texts_stay_fast(piece: str) -> None:
    """Repeated openings take linear time and never raise."""
    started = time.thread_time()
    read(piece * 20_000)
    assert time.thread_time() - started < 5


def test_call_bombs_are_bounded() -> None:
    """Functions that call each other twice do not grow without bound."""
    text = "\n".join(f"f{k}() {{ f{k + 1}; f{k + 1}; f{k + 1}; f{k + 1}; }}" for k in range(40))
    assert len(read(text + "\nf40() { ls; }\nf0")) <= 5_000
    assert read("f() { f; f; ls; }\nf")


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read(text: str) -> None:
    """No text raises."""
    read(text)


SNIPPETS = ["if ", "then ", "fi ", "for x in a; do ", "done ", "case x in ", "a) ", ";; ", "esac "]
SNIPPETS += [
    "{ ",
    "} ",
    "( ",
    ") ",
    "&& ",
    "|| ",
    "| ",
    "; ",
    "\n",
    "ls ",
    "<<E ",
    "E\n",
    "$(",
    "' ",
]
SNIPPETS += ['"', "X=1 ", "! ", "f() ", "exit 1 ", "& ", "> ", "[[ ", "]] ", "else ", "elif "]


@given(st.lists(st.sampled_from(SNIPPETS), max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_grammar_is_read(pieces: list[str]) -> None:
    """No arrangement of a shell's own words raises."""
    read("".join(pieces))


def test_an_argument_chooses_the_clause() -> None:
    """A script's first argument chooses what it runs, also after `shift`."""
    text = (
        "cmd=$1\nbuild() {\n  docker build -t $1 .\n}\npush() {\n  docker push app\n}\nshift\n"
        'case $cmd in\nbuild)\n  build "$@"\n  ;;\npush)\n  push\n  ;;\nesac\n'
    )
    found = parse_shell(text, path="deploy.sh", args=("build", "app"))
    assert [c.argv for c in found if c.program == "docker"] == [
        ("docker", "build", "-t", "app", ".")
    ]
    every = parse_shell(text, path="deploy.sh")
    assert [c.argv[1] for c in every if c.program == "docker"] == ["build", "push"]


def test_groups_within_groups_cost_no_more_than_their_length() -> None:
    """Forty groups around a command are read at once, also before `exit $?`."""
    text = "( " * 40 + "pytest" + " )" * 40 + "\nexit $?\n"
    text += "{ " * 40 + "ruff check; " + "}; " * 40
    start = time.thread_time()
    found = parse_shell(text, path="a.sh", line=1)
    assert [c.argv[0] for c in found][:1] == ["pytest"]
    assert time.thread_time() - start < 1


def test_a_return_in_a_condition_leaves_the_function_only() -> None:
    """What stands behind a function that may return before its `exit` is still run."""
    text = (
        "wait_for() {\n  for i in 1 2 3; do\n    if curl x; then\n      return\n    fi\n  done\n"
        "  exit 1\n}\nwait_for\npytest\n"
    )
    assert [c.argv for c in parse_shell(text, path="a.sh") if c.program == "pytest"]
    ends = "stop() {\n  exit 1\n}\nstop\npytest\n"
    assert not [c for c in parse_shell(ends, path="a.sh") if c.program == "pytest"]


def test_a_function_takes_the_status_before_it() -> None:
    """A function that reads `$?` first and leaves with it keeps a failure; another loses it."""
    text = "check() {\n  CODE=$?\n  if [ ${CODE} != 0 ]; then\n    exit ${CODE}\n  fi\n}\n"
    assert not find(f"{text}pytest\ncheck\necho done\n", "pytest", errexit=False).soft
    told = "check() {\n  echo $?\n}\npytest\ncheck\necho done\n"
    assert find(told, "pytest", errexit=False).soft
