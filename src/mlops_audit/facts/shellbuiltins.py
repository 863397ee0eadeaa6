"""Commands that change the shell itself: folders, options, variables and the end of the text."""

from __future__ import annotations

from mlops_audit.facts.shellstate import State
from mlops_audit.facts.shellwords import Words, join_folder

__all__ = ["DECLARE", "run_builtin"]

DECLARE = frozenset({"export", "declare", "local", "readonly", "typeset"})
_MAX_EXPORTS = 100


def run_builtin(state: State, words: Words, argv: list[str]) -> bool:
    """Act on a command that changes the shell itself; whether nothing after it runs."""
    name, args = argv[0], argv[1:]
    if name in {"cd", "pushd", "chdir", "Set-Location"}:
        places = [a for a in args if not a.startswith("-") or a == "-"]
        target = places[0] if places else "~"
        if name == "pushd":
            state.folders.append(state.cwd)
        was = state.cwd
        state.cwd = state.previous if target == "-" else join_folder(state.cwd, target)
        state.previous = was
    elif name == "popd" and state.folders:
        state.cwd = state.folders.pop()
    elif name in {"exit", "exec", "return"} and (name != "exec" or args):
        return True
    elif name == "set":
        _options(state, args)
    elif name == "shift" and state.args:
        count = int(args[0]) if args and args[0].isdigit() else 1
        state.args = state.args[count:]
    elif name in DECLARE:
        _declare(state, words, args, export=name == "export")
    elif name in {"unset", "read", "mapfile", "readarray"}:
        for arg in args:
            state.variables.pop(arg, None)
            state.exports.pop(arg, None)
    return False


def _declare(state: State, words: Words, args: list[str], *, export: bool) -> None:
    """`export A=b`, `local A=b`, `export A`."""
    for arg in args:
        key, equals, value = arg.partition("=")
        if equals and not key.startswith("-"):
            words.assign(key, value)
        if export and len(state.exports) < _MAX_EXPORTS:
            state.exports[key] = value if equals else state.variables.get(key, f"${key}")


def _options(state: State, args: list[str]) -> None:
    """`set -euo pipefail`, `set +e`, `set -o errexit`."""
    for k, arg in enumerate(args):
        if arg[:1] not in {"-", "+"}:
            continue
        on = arg[0] == "-"
        if "e" in arg[1:]:
            state.errexit = on
        if "o" in arg[1:] and k + 1 < len(args):
            if args[k + 1] == "pipefail":
                state.pipefail = on
            elif args[k + 1] == "errexit":
                state.errexit = on
