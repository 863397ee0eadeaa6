"""Work in other processes. Each test runs in an interpreter of its own: pytest's have threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
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
        result = workers.Beside(lambda: (os.getpid(), "x" * 1_000_000))
        pid, text = result()
        print(pid != os.getpid(), len(text), os.path.exists(f"/proc/{pid}"))
    """
    assert run(code) == "True 1000000 False"


def gone(pid: str) -> bool:
    """Whether a process ends within some seconds; one that nobody waits for yet has ended too."""
    for _ in range(100):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_process_ends_when_its_work_is_given_up() -> None:
    """No process outlives what waits for it, whether it works or has begun to tell its result."""
    code = """
        children = []
        for work in (lambda: time.sleep(60), lambda: "x" * 9_000_000):
            given_up = workers.Beside(work)
            children.append(given_up._child)
            time.sleep(0.2)
            del given_up
        print(*(os.path.exists(f"/proc/{child}") for child in children))
        print(len(os.listdir("/proc/self/fd")))
    """
    assert run(code).split() == ["False", "False", "4"]


@pytest.mark.parametrize("work", ["time.sleep(60)", "'x' * 9_000_000"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_one_that_began_it(number: signal.Signals, work: str) -> None:
    """However the program ends, what it began ends too: it may hold a terminal or a pipe open.

    Its interrupt is asked for anew, since a job in the background starts without one.
    """
    code = f"""
        from mlops_audit.tree import workers
        import signal, time
        signal.signal(signal.SIGINT, signal.default_int_handler)
        begun = [workers.Beside(lambda: {work}) for _ in range(3)]
        print(*(b._child for b in begun), flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as program:
        assert program.stdout is not None
        children = program.stdout.readline().decode().split()
        time.sleep(0.2)
        program.send_signal(number)
        program.wait(10)
        assert len(children) == 3
        assert all(gone(child) for child in children)


def test_an_interrupt_is_told_once() -> None:
    """Ctrl-C reaches every process of a program; those beside it end without a traceback."""
    code = """
        from mlops_audit.tree import workers
        import signal, time
        signal.signal(signal.SIGINT, signal.default_int_handler)
        begun = [workers.Beside(lambda: time.sleep(60)) for _ in range(3)]
        print("begun", flush=True)
        begun[0]()
    """
    with subprocess.Popen(
        [sys.executable, "-c", dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        program.stdout.readline()
        os.killpg(program.pid, signal.SIGINT)  # a session of its own: this group is its alone
        _, told = program.communicate(timeout=10)
    assert told.count(b"Traceback") == 1


def test_a_result_arrives_where_nobody_waits_for_children() -> None:
    """A program may ignore its children's end, as some service managers have it from the start."""
    code = """
        import signal
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        pid, found = workers.Beside(lambda: (os.getpid(), "x" * 100_000))()
        print(pid != os.getpid(), len(found))
    """
    assert run(code) == "True 100000"


def test_a_result_that_breaks_off_is_made_here() -> None:
    """A part of a result is none."""
    code = """
        here = os.getpid()
        def work():
            if os.getpid() != here:
                write = os.write
                workers.pickle.dumps = lambda *_, **__: b"x" * 10
                workers._LENGTH = 4
            return "done"
        print(workers.Beside(work)())
    """
    assert run(code) == "done"


@pytest.mark.parametrize("what", ["fork", "pipe"])
def test_work_is_done_here_where_the_system_gives_nothing(what: str) -> None:
    """No process or no pipe to be had costs time, not a result."""
    code = f"""
        def refused(*_):
            raise BlockingIOError(11, "try again")
        os.{what} = refused
        print(workers.Beside(os.getpid)() == os.getpid())
        print(workers.divided(lambda item: item * 2, [1, 2, 3], 3))
        print(len(os.listdir("/proc/self/fd")))
    """
    assert run(code).splitlines() == ["True", "[2, 4, 6]", "4"]


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "1 / 0", "sys.exit(0)"])
def test_work_that_ends_without_a_result_is_done_here(end: str) -> None:
    """However the other process ends, the result is the same."""
    code = f"""
        here = os.getpid()
        def work():
            if os.getpid() != here:
                {end}
            return "done"
        print(workers.Beside(work)())
    """
    assert run(code) == "done"


def test_a_result_that_cannot_be_pickled_is_made_here() -> None:
    """A function cannot come through a pipe, so the work is done once more."""
    assert run("print(workers.Beside(lambda: lambda: 7)()())") == "7"


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


def test_who_asks_for_begun_work_joins_in() -> None:
    """Others work from the start; this process does what they have not come to."""
    code = """
        def work(item):
            time.sleep(0.02)
            return os.getpid()
        joined = workers.Begun(work, range(12), 2)
        time.sleep(0.1)
        found = joined()
        print(len(found), found[0] != os.getpid(), os.getpid() in found)
    """
    assert run(code) == "12 True True"


def test_begun_work_that_is_given_up_ends() -> None:
    """Nobody works on for a result that nobody waits for."""
    code = """
        given_up = workers.Begun(lambda item: time.sleep(60), [1, 2, 3], 3)
        del given_up
        with open(f"/proc/self/task/{os.getpid()}/children") as children:
            print(children.read().split())
    """
    assert run(code) == "[]"


def test_one_process_shares_with_nobody() -> None:
    """With one process all is done in this one."""
    code = "print(set(workers.divided(lambda _: os.getpid(), [1, 2], 1)) == {os.getpid()})"
    assert run(code) == "True"


def test_threads_that_only_the_system_knows_count() -> None:
    """A library's own threads forbid forking as much as Python's."""
    code = """
        import _thread
        _thread.start_new_thread(time.sleep, (5,))
        print(threading.active_count(), workers.processes(3))
    """
    assert run(code) == "1 1"


def test_processes_are_bounded_and_one_beside_threads() -> None:
    """What the caller allows and eight bound them; a process with threads is not forked."""
    code = """
        print(workers.processes(1), workers.processes(3), workers.processes(99))
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        print(workers.processes(3))
    """
    assert run(code).split() == ["1", "3", "8", "1"]


def test_a_container_with_a_share_of_the_cores_gets_no_more_processes(tmp_path: Path) -> None:
    """Two and a half cores are two processes, half a core is one; without a limit all count."""
    code = f"""
        from pathlib import Path
        workers._SHARE = {str(tmp_path / "cpu.max")!r}
        os.sched_getaffinity = lambda pid: range(6)
        for text in ("250000 100000", "50000 100000", "max 100000", "", "1 0"):
            Path(workers._SHARE).write_text(text)
            print(workers.processes())
        print(workers.processes(3))
    """
    assert run(code).split() == ["2", "1", "6", "6", "6", "3"]
