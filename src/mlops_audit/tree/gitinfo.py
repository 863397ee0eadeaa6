"""What git knows about a revision, asked attribute by attribute at its first use."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial

from mlops_audit.tree import limits
from mlops_audit.tree.git import GIT_ERRORS, Git
from mlops_audit.tree.types import GitInfo, Tag

__all__ = ["CloneInfo", "clean_url", "common_dir"]

_MAX_VERSIONS = 200
_MAX_TOUCHED = 1_000
_ORIGIN = "refs/remotes/origin/"
_HEADS = "refs/heads/"


def common_dir(git_dir: str) -> str:
    """The folder that holds refs and objects; another one than `git_dir` in a linked worktree."""
    try:
        with open(os.path.join(git_dir, "commondir"), "rb") as file:
            text = os.fsdecode(file.read(4096).strip())
    except (OSError, ValueError):
        return git_dir
    return os.path.normpath(os.path.join(git_dir, text))


def clean_url(url: str) -> str | None:
    """A remote's address without user, password and query; None for a path on this machine."""
    url = re.split(r"[?#]", url.strip(), maxsplit=1)[0]
    scheme, divider, rest = url.partition("://")
    if divider:
        host = rest.partition("/")[0]
        if scheme.lower() == "file" or not host:
            return None
        return f"{scheme}://{host.rpartition('@')[2]}{rest[len(host) :]}"
    if re.match(r"[\w.-]{1,64}@[\w.-]{1,255}:(?!/)", url):  # git@github.com:owner/name.git
        return url
    return None


class CloneInfo(GitInfo):
    """The facts of a real clone. Nothing here raises: what git cannot say is the default.

    Args:
        git: the repository, with no work tree, so that no command can touch one.
        find_commit: gives the audited commit.
        prefix: the audited folder within the repository, with a slash behind it, or empty.
        raw_of: gives the raw name of a listed path, None for another path.
        is_dirty: whether what is audited differs from the commit.
    """

    def __init__(
        self,
        git: Git,
        find_commit: Callable[[], str | None],
        prefix: bytes,
        raw_of: Callable[[str], bytes | None],
        is_dirty: Callable[[], bool],
    ) -> None:
        given = {
            "_find_commit": find_commit,
            "_git": git,
            "_prefix": prefix,
            "_raw_of": raw_of,
            "_is_dirty": is_dirty,
        }
        self.__dict__.update(given)

    _git: Git
    _find_commit: Callable[[], str | None]
    _prefix: bytes
    _raw_of: Callable[[str], bytes | None]
    _is_dirty: Callable[[], bool]

    def __repr__(self) -> str:
        return f"CloneInfo({self._git.git_dir!r})"  # the inherited one would ask everything

    def _lines(self, *command: str) -> list[str]:
        return _answer(partial(self._git.lines, *command))

    @cached_property
    def commit(self) -> str | None:
        """The audited commit's id."""
        return self._find_commit()

    @cached_property
    def dirty(self) -> bool:
        """Whether what is audited differs from the commit."""
        try:
            return self._is_dirty()
        except GIT_ERRORS:
            return False

    @cached_property
    def shallow(self) -> bool:
        """Whether history is cut off."""
        return os.path.exists(os.path.join(common_dir(self._git.git_dir), "shallow"))

    @cached_property
    def _head(self) -> str | None:
        here = next((line[1:].split(" ")[0] for line in self._told[0] if line[0] == "*"), None)
        found = [here] if here else self._lines("symbolic-ref", "-q", "HEAD")  # no commit yet
        return found[0].removeprefix(_HEADS) if found else None

    @cached_property
    def detached(self) -> bool:
        """Whether HEAD is on no branch."""
        return self._head is None

    @cached_property
    def _asking(self) -> tuple[Callable[[], list[str]], ...]:
        """What waits for `_told`: both are asked at once, as git starts slowly."""
        names = ("for-each-ref", "--format=%(HEAD)%(refname) %(symref) %(objectname)")
        try:
            refs = self._git.asked(*names, _HEADS, _ORIGIN, "refs/tags/")
            address = self._git.asked("config", "--get", "remote.origin.url")
        except GIT_ERRORS:
            return list, list
        return refs, address

    @cached_property
    def _told(self) -> tuple[list[str], ...]:
        """The names that lead to commits, and origin's address.

        Each name stands behind a star where it is checked out, and before the name that it stands
        for, if it does for one, and its object.
        """
        return tuple(_answer(lines) for lines in self._asking)

    @cached_property
    def _refs(self) -> dict[str, str]:
        rows = (line[1:].split(" ") for line in self._told[0])
        return {row[0]: row[1] for row in rows if row[0].startswith((_HEADS, _ORIGIN))}

    def state(self) -> str:
        """The commit and the names that lead to commits: history follows from them."""
        _ = self._asking  # git works on it meanwhile
        return repr((self.commit, self.dirty, self.shallow, self._head, self._told))

    @cached_property
    def branches(self) -> tuple[str, ...]:
        """The clone's and origin's branches."""
        names = {r.removeprefix(_HEADS).removeprefix(_ORIGIN) for r in self._refs}
        if f"{_HEADS}HEAD" not in self._refs:
            names.discard("HEAD")
        return tuple(sorted(names))

    @cached_property
    def default_branch(self) -> str | None:
        """origin/HEAD's branch, else the one checked out, else main or master."""
        remote = self._refs.get(f"{_ORIGIN}HEAD", "")
        if remote.startswith(_ORIGIN):
            return remote.removeprefix(_ORIGIN)
        if self._head in self.branches:
            return self._head
        usual = [name for name in ("main", "master") if name in self.branches]
        if usual:
            return usual[0]
        return self.branches[0] if len(self.branches) == 1 else None

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """The tags that the commit knows, oldest first.

        Those reachable from it, and those of other lines of history (release branches, rewritten
        ones) that were made no later than it.
        """
        if self.commit is None:
            return ()
        found = {t.name: t for t in self._tags(f"--merged={self.commit}")}
        now = self.last_commit or 0
        found |= {t.name: t for t in self._tags() if t.created is not None and t.created <= now}
        return tuple(
            sorted(found.values(), key=lambda tag: (tag.created or 0, _version_key(tag.name)))
        )

    def _tags(self, *among: str) -> list[Tag]:
        fields = "%(refname:strip=2) %(objecttype) %(objectname) %(*objectname) %(creatordate:unix)"
        lines = self._lines("for-each-ref", *among, f"--format={fields}", "refs/tags/")
        return [tag for line in lines if (tag := _tag(line))]

    @cached_property
    def _times(self) -> list[int]:
        if self.commit is None:
            return []
        command = ("rev-list", "--timestamp", f"--max-count={limits.MAX_COMMITS}", self.commit)
        lines = self._lines(*command)
        return [int(line.split(" ", 1)[0]) for line in lines]

    @cached_property
    def commits(self) -> int | None:
        """Number of commits, at most `limits.MAX_COMMITS`; None if git cannot count them."""
        return len(self._times) or (0 if self.commit is None else None)

    @cached_property
    def first_commit(self) -> int | None:
        """The earliest committer date."""
        return min(self._times, default=None)

    @cached_property
    def last_commit(self) -> int | None:
        """The audited commit's committer date."""
        return self._times[0] if self._times else None

    @cached_property
    def remote_url(self) -> str | None:
        """Origin's address without credentials."""
        return clean_url(self._told[1][-1]) if self._told[1] else None

    @cached_property
    def history(self) -> Mapping[str, tuple[bytes, ...]]:
        """Contents asked for so far."""
        return {}

    @cached_property
    def touches(self) -> Mapping[str, int]:
        """Counts asked for so far."""
        return {}

    @cached_property
    def _commits_of(self) -> dict[tuple[str, int], tuple[str, ...]]:
        return {}

    def _touching(self, path: str, limit: int) -> tuple[str, ...]:
        """The commits that changed a path, newest first, at most `limit`."""
        key = (path, limit)
        if self.commit is None or "\0" in path or not path:
            return ()
        if key not in self._commits_of:
            name = os.fsdecode(self._prefix + self._name(path))
            command = ("rev-list", f"--max-count={limit}", self.commit, "--", name)
            found = self._lines(*command)
            self._commits_of[key] = tuple(found)
        return self._commits_of[key]

    def _name(self, path: str) -> bytes:
        raw = self._raw_of(path)
        return path.encode("utf-8", "surrogateescape") if raw is None else raw

    def touched(self, path: str) -> int | None:
        """Number of commits that changed `path`, at most 1000; None if git cannot tell."""
        return len(self._touching(path, _MAX_TOUCHED)) or None

    def versions_of(self, path: str, limit: int = 20) -> tuple[bytes, ...]:
        """Earlier, distinct contents of `path`, newest first, at most `limit` of them."""
        commits = self._touching(path, min(max(limit, 0) * 5 + 1, _MAX_VERSIONS))
        found: dict[bytes, None] = {}
        name = os.fsdecode(self._prefix + self._name(path))
        for commit in commits:
            if len(found) > limit:
                break
            data = self._content(f"{commit}:{name}")
            if data is not None:
                found.setdefault(data)
        return tuple(found)[1 : limit + 1]

    def _content(self, name: str) -> bytes | None:
        try:
            size = self._git.sizes([name]).get(name)
            if size is None or size > limits.read_limit(name):
                return None
            return self._git.batch.get(name)
        except GIT_ERRORS:
            return None


def _answer(lines: Callable[[], list[str]]) -> list[str]:
    try:
        return lines()
    except GIT_ERRORS:
        return []


def _tag(line: str) -> Tag | None:
    fields = line.split(" ")
    if len(fields) != 5:  # noqa: PLR2004 -- the five asked for
        return None
    name, kind, own, peeled, created = fields
    annotated = kind == "tag"
    date = int(created) if created.isdigit() else None
    return Tag(name, peeled if annotated else own, date, annotated)


def _version_key(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts v1.9 before v1.10, for tags of the same second."""
    parts = re.findall(r"\d{1,18}|\D{1,200}", name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)
