"""Work in other processes. Each test runs in an interpreter of its own: pytest's have threads."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks on Linux only")


def run(code: str) -> str:
    """What a program prints."""
    head = "import os, sys, threading, time\nfrom mlops_audit.tree import workers\n"
    done = subprocess.run(
        [sys.executable, "-c", head + dedent(code)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_work_beside_runs_in_another_process() -> None:
    """The result comes from another process, and nothing of that process is left behind."""
    code = """
        result = workers.beside(lambda: (os.getpid(), "x" * 1_000_000))
        pid, text = result()
        print(pid != os.getpid(), len(text), os.path.exists(f"/proc/{pid}"))
    """
    assert run(code) == "True 1000000 False"


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "1 / 0", "sys.exit(0)"])
def test_work_that_ends_without_a_result_is_done_here(end: str) -> None:
    """However the other process ends, the result is the same."""
    code = f"""
        here = os.getpid()
        def work():
            if os.getpid() != here:
                {end}
            return "done"
        print(workers.beside(work)())
    """
    assert run(code) == "done"


def test_a_result_that_cannot_be_pickled_is_made_here() -> None:
    """A function cannot come through a pipe, so the work is done once more."""
    assert run("print(workers.beside(lambda: lambda: 7)()())") == "7"


def test_divided_work_keeps_its_order() -> None:
    """Each item is worked on once, by one of several processes, and stands where it stood."""
    code = """
        def work(item):
            time.sleep(0.01)
            return item, os.getpid()
        found = workers.divided(work, list("abcdefghijkl"), 3)
        print("".join(item for item, _ in found), 1 < len({pid for _, pid in found}) <= 3)
    """
    assert run(code) == "abcdefghijkl True"


def test_divided_work_survives_the_death_of_a_process() -> None:
    """What a process took and did not finish is done here."""
    code = """
        here = os.getpid()
        def work(item):
            if os.getpid() != here:
                os._exit(9)
            time.sleep(0.05)
            return item * 2
        print(workers.divided(work, list(range(8)), 4))
    """
    assert run(code) == "[0, 2, 4, 6, 8, 10, 12, 14]"


def test_one_process_shares_with_nobody() -> None:
    """With one process all is done in this one."""
    code = "print(set(workers.divided(lambda _: os.getpid(), [1, 2], 1)) == {os.getpid()})"
    assert run(code) == "True"


def test_processes_are_bounded_and_one_beside_threads() -> None:
    """What the caller allows and eight bound them; a process with threads is not forked."""
    code = """
        print(workers.processes(1), workers.processes(3), workers.processes(99))
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        print(workers.processes(3))
    """
    assert run(code).split() == ["1", "3", "8", "1"]
