"""VER01: code in git, with an ignore file that keeps what is not code out of it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from itertools import chain

from mlops_audit.graph import Project
from mlops_audit.graph.handedoutputs import handed_files
from mlops_audit.graph.outputs import Output, written_files
from mlops_audit.model import Evidence, Span, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_ENVIRONMENTS = (".venv/", "venv/", "env/", "ENV/", ".env/", ".virtualenv/", "virtualenv/")
_CACHE = "__pycache__/module.cpython-311.pyc"
_OUTSIDE = (
    "environment*.y*ml",
    "conda*.y*ml",
    "**/conda*.y*ml",
    "**/Pipfile",
    "**/environment*.y*ml",
)
_PIP = ("requirements*.txt", "setup.py", "pyproject.toml")
_OUTPUT = regex(
    r"\.(csv|tsv|parquet|pq|feather|pkl|pickle|joblib|skops|h5|hdf5|keras|pt|pth|ckpt|bin|onnx|npy|"
    r"npz|safetensors|model|sav|db|sqlite3?|arrow|jsonl|xlsx|cbm|ubj|zip|gz)$",
    re.IGNORECASE,
)
_UPLOADED = regex(r"(\./)?(outputs|logs)(/|$)")
_SUFFIXES = ("pkl", "joblib", "h5", "pt", "pth")  # of models, as ignore rules name them
_SHARE = 0.5  # of the written files that must be kept out


@practice(
    id="VER01",
    title="The code is in git, environments, caches and outputs are kept out",
    assets="code",
    level="1M~",
    sources="S0 S1 S2 S4",
    fix="Put the project in git and add a .gitignore for .venv, __pycache__, data and models.",
    template=(".gitignore",),
)
def code_in_git(project: Project) -> Verdict:
    """Judge history and ignore rules."""
    git = project.git
    if git is None or not git.commit:
        return failed(
            "this is not a git repository" if git is None else "the repository has no commit",
            looked_for="a git history and a .gitignore",
        )
    files = [p for p in project.paths if p.rsplit("/", 1)[-1] == ".gitignore"]
    where = _rules(project, files)[:3]
    where = where or [Evidence(Span("."), "a git history, no .gitignore")]
    missing = []
    if not _environments_out(project):
        missing.append("virtual environments (.venv)")
    if project.modules and not project.tree.ignores(_CACHE):
        missing.append("Python caches (__pycache__)")
    loose = _loose_outputs(project)
    if loose:
        missing.append(f"what the code writes ({', '.join(sorted({o.path for o in loose})[:3])})")
        where += [Evidence(o.call.span, f"writes {o.path}, not ignored") for o in loose[:3]]
    if missing:
        lead = "git is used" if files else "git is used without a .gitignore"
        return partial(f"{lead}; nothing keeps out {' and '.join(missing)}", where)
    return passed("the code is in git and its ignore rules keep the rest out", where)


def _telling(files: list[str]) -> list[str]:
    """The root's file first; those that tools keep for themselves only where there is no other."""
    own = [f for f in files if not re.search(r"(^|/)\.\w", f.rpartition("/")[0])]
    return sorted(own or files, key=lambda f: (f.count("/"), f))


_ENVIRONMENT = regex(r"v?env(s|ironments?)?\b|conda|virtualenv", re.IGNORECASE)
_CACHED = regex(r"__pycache__|py\[|\*\.py|pyc", re.IGNORECASE)


def _rules(project: Project, files: list[str]) -> list[Evidence]:
    """The rules that keep environments and caches out, of the root first; else the first rule."""
    told: list[Evidence] = []
    first: list[Evidence] = []
    for path in _telling(files):
        rules = [
            Evidence(Span(path, number), f"git ignores {line.strip()}")
            for number, line in enumerate(project.lines(path), 1)
            if line.strip() and not line.startswith(("#", "!"))
        ]
        kept = [e for e in rules if _ENVIRONMENT.search(e.detail)]
        told += sorted(kept, key=lambda e: "venv" not in e.detail)[:1]
        told += [e for e in rules if _CACHED.search(e.detail)][:1]
        first += rules[:1]
    empty = [Evidence(Span(path), "no rule") for path in files]
    return told or first[:1] or empty


def _environments_out(project: Project) -> bool:
    ignores = project.tree.ignores
    if any(ignores(name) or ignores(f"{name}bin/python") for name in _ENVIRONMENTS):
        return True
    if not project.modules:
        return True  # nothing here for which anybody makes a Python environment
    if project.glob("**/poetry.lock") and not project.glob("requirements*.txt", "setup.py"):
        return True  # Poetry, too, keeps environments in a folder of its own
    if _told_conda(project):
        return True
    # conda and pipenv keep environments elsewhere, unless pip is offered as another way
    pip = [p for p in project.glob(*_PIP) if _declares(project, p)]
    return bool(project.glob(*_OUTSIDE)) and not pip


def _told_conda(project: Project) -> bool:
    """Whether the README has people make a conda environment, and no other."""
    told = " ".join((project.text(p) or "")[:100_000] for p in project.glob("README*"))
    return "conda create" in told and "venv" not in told and "virtualenv" not in told


def _declares(project: Project, path: str) -> bool:
    """Whether a file names dependencies; metadata without any brings nobody to pip."""
    metadata = next((m for m in project.dependencies.packages if m.path == path), None)
    return metadata is None or any(r.span.path == path for r in project.dependencies.requirements)


def _loose_outputs(project: Project) -> list[Output]:
    """What code writes into the tree and nothing keeps out: any model, or most of the files."""
    plain = list(written_files(project))
    return _loose(project, plain) or _loose(project, chain(plain, handed_files(project)))


def _loose(project: Project, outputs: Iterable[Output]) -> list[Output]:
    seen: dict[str, tuple[Output, bool]] = {}
    scripted = bool(project.source)
    for output in outputs:
        path = output.path
        if output.module.notebook and scripted:
            continue  # a trial beside the code that makes the outputs
        if path.startswith(".."):  # written by a program that is started in its own folder
            folder = posixpath.dirname(output.module.path)
            path = posixpath.normpath(posixpath.join(folder, path))
        if path.startswith(("/", "~", "..", "$")) or "://" in path or path in seen:
            continue
        if not (_OUTPUT.search(path) or output.model):
            continue
        if _OUTPUT.search(path) and not output.exact and not output.model:
            continue  # a default, which a caller may replace
        if "azureml" in output.module.roots and _UPLOADED.match(path):
            continue  # written where the job runs, and kept with the run
        seen[path] = (output, _kept(project, output, path))
    loose = [output for output, kept in seen.values() if not kept]
    enough = any(o.model for o in loose) or len(loose) > _SHARE * len(seen)
    return loose if enough else []


def _kept(project: Project, output: Output, written: str) -> bool:
    """Whether git ignores the file or already tracks the data that lies there, or DVC sees to it.

    DVC ignores the outputs that it stores, and leaves to git the small ones that belong there. A
    model that is committed is one that nothing kept out.
    """
    stages = [s for pipeline in project.dvc.pipelines for s in pipeline.stages]
    declared = {out.path.rstrip("/") for stage in stages for out in stage.outs}
    folder = posixpath.dirname(output.module.path)
    for base in dict.fromkeys(("", folder)):
        path = project.places.join(base, written)
        known = path in declared or project.has(f"{path}.dvc")
        inside = known or (not output.model and _tracked(project, path))
        names = [path, f"{path}/file", posixpath.dirname(path) + "/"]
        if output.model and "." not in posixpath.basename(path):  # only the folder is known
            names += [f"{path}/model.{suffix}" for suffix in _SUFFIXES]
        if inside or any(n != "/" and project.tree.ignores(n) for n in names):
            return True
    return False


def _tracked(project: Project, path: str) -> bool:
    return project.has(path) or any(p.startswith(f"{path}/") for p in project.paths)
