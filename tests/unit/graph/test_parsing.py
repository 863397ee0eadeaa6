"""Code read here, beside the rest of the work, or from the cache: the facts are the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

HEAD = """
import os
from mlops_audit.graph import parsing
from mlops_audit.tree import MemoryTree

def code(n):
    text = f"import numpy\\nSEED = {n}\\ndef load():\\n    return numpy.load('a{n}.npy')\\n"
    return text.encode()

DEEP = b"x = " + b"+".join([b"1"] * 2_000) + b"\\n"
files = {f"src/m{n}.py": code(n) for n in range(600)}
files["deep.py"], files["broken.py"] = DEEP, b"def (:\\n"

def read(jobs, cached=False):
    tree = MemoryTree(files)
    return parsing.read_code(tree, tree.entries, tree.read, cached=cached, jobs=jobs)()
"""


def run(code: str, cache: Path) -> str:
    """What a program prints: pytest's own processes have threads, and are not forked."""
    done = subprocess.run(
        [sys.executable, "-c", dedent(HEAD) + dedent(code)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={"MLOPS_AUDIT_CACHE": str(cache)},
    )
    return done.stdout.strip()


def test_facts_do_not_depend_on_who_reads(tmp_path: Path) -> None:
    """One process, one beside it, and several give the same facts in the same order."""
    code = """
        parsing._SPREAD_FROM = 30_000
        alone, several = read(1), read(3)
        parsing._SPREAD_FROM = 10**9
        beside = read(2)
        print(alone == several == beside, list(alone) == list(several) == sorted(files))
        print(bool(alone["broken.py"].error))
    """
    assert run(code, tmp_path).splitlines() == ["True True", "True"]


def test_what_a_process_does_not_give_is_read_here(tmp_path: Path) -> None:
    """A reader that is killed, or a fact too deep to be pickled, costs time and no fact."""
    code = """
        alone, here, dumps = read(1), os.getpid(), parsing.pickle.dumps
        def deadly(fact, protocol):
            if os.getpid() != here:
                os._exit(9)
            return dumps(fact, protocol)
        parsing.pickle.dumps = deadly
        print(read(2) == alone)
        def deep(fact, protocol):
            if fact.path == "deep.py":
                raise RecursionError
            return dumps(fact, protocol)
        parsing.pickle.dumps = deep
        print(read(2) == alone, read(2, cached=True) == alone)
    """
    assert run(code, tmp_path).splitlines() == ["True", "True True"]


def test_facts_that_were_kept_are_not_read_again(tmp_path: Path) -> None:
    """The second reading takes every fact from the cache, whoever read it first."""
    code = """
        first = read(2, cached=True)
        parsing._read = lambda path, content: 1 / 0
        print(read(2, cached=True) == first, len(first) == len(files))
    """
    assert run(code, tmp_path) == "True True"


def test_what_a_large_tree_leaves_out_does_not_depend_on_the_cache(tmp_path: Path) -> None:
    """A fact that is kept counts among what was read as much as the file that it says it of."""
    code = """
        from mlops_audit.tree import limits
        limits.MAX_TOTAL = 10_000

        def left_out(cached):
            tree = MemoryTree(files)
            def data(path):
                found = tree.read(path)
                return found if isinstance(found, bytes) else None
            known = parsing.read_code(tree, tree.entries, data, cached=cached, jobs=1)()
            more = [p for p in tree.entries if isinstance(tree.read(p), bytes)]
            return list(known), more

        cold = left_out(True)
        print(0 < len(cold[0]) < len(files), left_out(True) == cold == left_out(False))
    """
    assert run(code, tmp_path) == "True True"


def test_what_a_large_tree_leaves_out_does_not_depend_on_what_was_asked(tmp_path: Path) -> None:
    """In a folder whose blob ids are not known, files are read in one order, asked for or not."""
    code = """
        import sys
        from mlops_audit.tree import limits
        from mlops_audit.tree.folder import FolderTree
        limits.MAX_TOTAL = 10_000

        def left_out(first):
            tree = FolderTree(sys.path[0], "src")
            def data(path):
                found = tree.read(path)
                return found if isinstance(found, bytes) else None
            first(tree)
            return list(parsing.read_code(tree, tree.entries, data, cached=False, jobs=1)())

        here = os.path.join(os.environ["MLOPS_AUDIT_CACHE"], "code")
        os.mkdir(here)
        sys.path[0] = here
        for n in range(300):
            with open(f"{here}/m{n}.py", "wb") as file:
                file.write(code(n))
        plain, after = left_out(lambda tree: None), left_out(lambda tree: tree.state())
        print(0 < len(plain) < 300, plain == after)
    """
    assert run(code, tmp_path) == "True True"
