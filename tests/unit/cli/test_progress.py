"""Progress: on a terminal, after a while, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

CODE = (
    "import mlops_audit.cli.progress as p, time; p._PATIENCE = 0.05; p._EVERY = 0.05\n"
    "with p.progress('auditing'): time.sleep(0.4)\n"
)


def _run(*, terminal: bool, **more: str) -> bytes:
    """What long work writes on standard error."""
    env = {k: v for k, v in os.environ.items() if k not in {"CI", "TERM"}} | {"TERM": "xterm"}
    command = [sys.executable, "-c", CODE]
    if not terminal:
        done = subprocess.run(command, env=env | more, capture_output=True, check=True)
        return done.stderr
    leader, follower = pty.openpty()
    subprocess.run(command, env=env | more, stderr=follower, check=True)
    os.close(follower)
    try:
        return os.read(leader, 4096)
    except OSError:  # nothing was written
        return b""
    finally:
        os.close(leader)


def test_terminal_sees_it_come_and_go() -> None:
    """On a terminal a line says what goes on, and is gone in the end."""
    said = _run(terminal=True)
    assert b"auditing ... 0 s" in said
    assert said.endswith(b"\r\x1b[2K")


def test_pipes_and_ci_see_nothing() -> None:
    """Nothing is written in a pipe, in CI or on a dumb terminal."""
    assert _run(terminal=False) == b""
    assert _run(terminal=True, CI="true") == b""
    assert _run(terminal=True, TERM="dumb") == b""
