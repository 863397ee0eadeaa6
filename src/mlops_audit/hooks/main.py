"""`mlops-audit-hook NAME [FILE...]`: one hook over the given files, or over what is staged.

Imports nothing but the hook that is asked for: this starts with every commit. Without click, for
the same reason. Exit code 0: nothing found. 1: problems, one line each. 2: the call is wrong.
3: a bug here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

__all__ = ["HOOKS", "main", "run", "usage"]

# Name → what it does; each hook lives in the module of its name.
HOOKS = {
    "notebooks": "Notebooks carry no outputs, run in order, and have names that say their order.",
    "strip-notebooks": "Remove outputs and execution counts from notebooks.",
    "large-files": "No data or model file over 1 MiB goes into plain git.",
    "secrets": "No credential is committed.",
    "dvc-lock": "dvc.lock is in step with dvc.yaml, the parameters and the files in git.",
    "paths": "No path of one person's machine stands in code or settings.",
    "seeds": "Random draws in changed Python files are seeded.",
    "raw-data": "Raw data is added, never changed.",
}
_REWRITES = {"strip-notebooks"}


def main(args: Sequence[str] | None = None) -> None:
    """Run the hook that the arguments name, and exit."""
    try:
        code = run(sys.argv[1:] if args is None else args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader went away (`| head`), so there was something to read
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:  # noqa: BLE001 -- the one place where a bug becomes exit code 3
        print(f"mlops-audit-hook: a bug here ({type(error).__name__}: {error})", file=sys.stderr)
        print(
            "Please report it: https://github.com/mlops-audit/mlops-audit/issues", file=sys.stderr
        )
        code = 3
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a hook and print what it finds; the exit code."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(usage())
        return 0 if arguments else 2
    name, files = arguments[0], [a for a in arguments[1:] if a != "--"]
    if name not in HOOKS:
        print(f"mlops-audit-hook: there is no hook {name!r}\n\n{usage()}", file=sys.stderr)
        return 2
    from mlops_audit.hooks.staged import staged_files  # noqa: PLC0415 -- `--help` needs none of it
    from mlops_audit.tree.types import TreeError  # noqa: PLC0415 -- the same

    try:
        found = staged_files(files, os.environ)
        if name in _REWRITES:
            from mlops_audit.hooks.strip_notebooks import rewrite  # noqa: PLC0415 -- the same

            return _say(rewrite(found))
        from importlib import import_module  # noqa: PLC0415 -- the same

        hook = import_module(f"mlops_audit.hooks.{name.replace('-', '_')}").check
        return _say(hook(found))
    except TreeError as error:
        print(f"mlops-audit-hook: {error}", file=sys.stderr)
        return 2


def usage() -> str:
    """What `--help` says."""
    width = max(map(len, HOOKS))
    lines = [f"  {name:{width}s}  {about}" for name, about in HOOKS.items()]
    return "\n".join(
        [
            "Usage: mlops-audit-hook NAME [FILE...]",
            "",
            "Checks the given files, or without any those that are staged, as they will be",
            "committed. One line for each problem; exit code 1 when there is one.",
            "",
            *lines,
        ]
    )


def _say(problems: Iterable[object]) -> int:
    from mlops_audit.reports.safe import one_line  # noqa: PLC0415 -- a clean commit needs it not

    count = 0
    for problem in problems:
        text = one_line(str(problem))
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding))
        count += 1
    return 1 if count else 0


if __name__ == "__main__":
    main()
