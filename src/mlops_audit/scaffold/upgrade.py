"""`upgrade`: copier's update, tried in a scratch clone first, with the audit before and after.

The project itself changes only when the update leaves no conflict and no practice gets worse.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml
from msgspec import Struct, field

from mlops_audit.model import Outcome, Report
from mlops_audit.scaffold.errors import ScaffoldError, copier_errors
from mlops_audit.scaffold.pins import add_pins

__all__ = ["AFTER_RUN", "Answers", "Upgrade", "read_answers", "upgrade"]

ANSWERS = ".copier-answers.yml"
# Practices that judge the record of the last run: a new stage has none until it has been run
# once, and a lock that set-up has pruned does not name a new dependency until the next set-up.
AFTER_RUN = {"REP01": "make setup", "REP06": "make pipeline"}
_CREDIT = {Outcome.PASS: 2, Outcome.PARTIAL: 1, Outcome.NOT_APPLICABLE: 2}
_MARKER = re.compile(rb"^<{7} before updating$", re.MULTILINE)
_TIMEOUT = 300  # seconds for one git command


class Answers(Struct, frozen=True):
    """What a project's answers file says about its template."""

    source: str
    commit: str
    level: int | None


class Upgrade(Struct, frozen=True):
    """What an upgrade did, or would have done.

    `worse` lists (practice, before, after); `pending` those that only wait for the next run.
    """

    before: Report
    after: Report
    changed: tuple[str, ...]
    conflicts: tuple[str, ...] = ()
    worse: tuple[tuple[str, str, str], ...] = ()
    pending: tuple[str, ...] = ()
    applied: bool = False
    versions: tuple[str, str] = field(default=("", ""))

    @property
    def clean(self) -> bool:
        """Whether nothing stands against it."""
        return not self.conflicts and not self.worse


def read_answers(folder: Path) -> Answers:
    """Read the project's answers file.

    Raises:
        ScaffoldError: there is none, or it does not say where the template came from.
    """
    path = folder / ANSWERS
    if not path.is_file():
        raise ScaffoldError(f"{path} does not exist: this project was not made from the template")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ScaffoldError(f"{path} cannot be read: {error}") from error
    known = data if isinstance(data, dict) else {}
    source, commit = known.get("_src_path"), known.get("_commit")
    if not source or not commit:
        raise ScaffoldError(
            f"{path} names no template version (_src_path and _commit): made from a zip or from "
            "the copy inside the tool, it cannot be updated until it is given both"
        )
    level = known.get("maturity_level")
    return Answers(str(source), str(commit), level if isinstance(level, int) else None)


def upgrade(
    folder: str,
    audited: Callable[[str], Report],
    answers: Mapping[str, str],
    *,
    ref: str | None = None,
    source: str | None = None,
    write: bool = True,
) -> Upgrade:
    """Update a project to a version of its template, or to other answers.

    Args:
        folder: the project, a clean git work tree.
        audited: gives the report of a folder.
        answers: answers to change, e.g. `maturity_level`.
        ref: the template's version; its latest release without.
        source: another place of the template, e.g. a mirror.
        write: whether the project itself is changed when nothing stands against it.

    Raises:
        ScaffoldError: no project of the template, changes not committed, copier refuses.
    """
    root = Path(folder).resolve()
    read_answers(root)
    if _git(root, "rev-parse", "--show-toplevel").strip() != str(root):
        raise ScaffoldError(f"{folder} is not the root of a git repository")
    if _git(root, "status", "--porcelain", "--untracked-files=no").strip():
        raise ScaffoldError(f"{folder} has changes that are not committed: commit or stash them")
    with tempfile.TemporaryDirectory(prefix="mlops-audit-") as scratch:
        trial = Path(scratch) / root.name
        _git(root, "clone", "--quiet", "--no-hardlinks", str(root), str(trial))
        _same_remote(root, trial)
        before = audited(str(trial))
        was = read_answers(trial).commit
        _update(trial, answers, ref, source)
        if _git(trial, "status", "--porcelain", "pyproject.toml").strip():
            add_pins(trial, Path(scratch) / "fresh")
        _git(trial, "add", "--all")
        changed = tuple(_git(trial, "diff", "--cached", "--name-only", "-z").split("\0")[:-1])
        after = audited(str(trial))
        conflicts = tuple(p for p in changed if _conflicted(trial / p))
        worse, pending = _worse(before, after)
        done = Upgrade(
            before, after, changed, conflicts, worse, pending,
            versions=(was, read_answers(trial).commit),
        )  # fmt: skip
        if not write or not done.clean or not changed:
            return done
        patch = _git_bytes(trial, "diff", "--cached", "--binary", "--full-index")
        _git(root, "apply", "--whitespace=nowarn", "-", text=patch)
    return Upgrade(
        before, after, changed, conflicts, worse, pending, applied=True, versions=done.versions
    )


def _update(trial: Path, answers: Mapping[str, str], ref: str | None, source: str | None) -> None:
    if source:
        path = trial / ANSWERS
        text = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r"(?m)^_src_path:.*$", f"_src_path: {source}", text), encoding="utf-8"
        )
        _git(trial, "commit", "--quiet", "--no-verify", "--all", "--message", "template source")
    with copier_errors():
        from copier import run_update  # noqa: PLC0415 -- an extra, and a second to import

        run_update(
            trial,
            data=dict(answers),
            defaults=True,
            overwrite=True,
            conflict="inline",
            quiet=True,
            vcs_ref=ref,
        )


def _same_remote(root: Path, trial: Path) -> None:
    """The scratch clone keeps the project's own origin: the audit reads its address."""
    done = _run(root, "remote", "get-url", "origin")
    if done.returncode == 0:
        _git(trial, "remote", "set-url", "origin", done.stdout.decode().strip())


def _conflicted(path: Path) -> bool:
    return path.is_file() and _MARKER.search(path.read_bytes()) is not None


def _worse(
    before: Report, after: Report
) -> tuple[tuple[tuple[str, str, str], ...], tuple[str, ...]]:
    earlier = {f.practice.id: f.outcome for f in before.findings}
    worse: list[tuple[str, str, str]] = []
    pending: list[str] = []
    for finding in after.findings:
        was, now = earlier.get(finding.practice.id), finding.outcome
        if (
            was is None
            or was is Outcome.NOT_APPLICABLE
            or _CREDIT.get(now, 0) >= _CREDIT.get(was, 0)
        ):
            continue
        if finding.practice.id in AFTER_RUN:
            pending.append(finding.practice.id)
        else:
            worse.append((finding.practice.id, was.value, now.value))
    return tuple(worse), tuple(pending)


def _run(
    folder: Path, *arguments: str, text: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("git")
    if program is None:
        raise ScaffoldError("git is not installed")
    env = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    identity = ["-c", "user.name=mlops-audit", "-c", "user.email=mlops-audit@localhost"]
    return subprocess.run(  # noqa: S603 -- git, in a project that its owner asked to change
        [program, *identity, *arguments], cwd=folder, env=env, input=text,
        capture_output=True, timeout=_TIMEOUT, check=False,
    )  # fmt: skip


def _git_bytes(folder: Path, *arguments: str, text: bytes | None = None) -> bytes:
    done = _run(folder, *arguments, text=text)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ScaffoldError(f"git {arguments[0]}: {said[-1] if said else 'failed'}")
    return done.stdout


def _git(folder: Path, *arguments: str, text: bytes | None = None) -> str:
    return _git_bytes(folder, *arguments, text=text).decode("utf-8", "surrogateescape")
