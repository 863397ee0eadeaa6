"""A tree from a dictionary, for tests and scenarios."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mlops_audit.tree.base import BaseTree, Listing, blob_hash
from mlops_audit.tree.paths import normal
from mlops_audit.tree.pointers import LFS_SIZES, lfs_pointer
from mlops_audit.tree.types import Entry, GitInfo, Pointer, Unread

__all__ = ["MemoryTree"]


class MemoryTree(BaseTree):
    """Files given as text or bytes by their paths.

    Args:
        files: content by path; every file counts as tracked.
        name: the folder's name.
        git: what git would know.
        links: link targets by path, as `ln -s` takes them.
        absent: tracked paths whose content is not in this clone, of unknown size.
        executable: which of the files have the executable bit.
    """

    def __init__(
        self,
        files: Mapping[str, str | bytes],
        *,
        name: str = "memory",
        git: GitInfo | None = None,
        links: Mapping[str, str] | None = None,
        absent: Collection[str] = (),
        executable: Collection[str] = (),
    ) -> None:
        self._files: dict[str, bytes] = {}
        self._given_links = dict(links or {})
        self._git = git
        listing = Listing()
        for given, content in files.items():
            data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
            path = normal(given)
            if not path:
                listing.say(f"{given!r} is no path within the tree")
                continue
            self._files[path] = data
        for path, data in self._files.items():
            lfs = len(data) in LFS_SIZES and lfs_pointer(data) is not None
            raw = path.encode("utf-8", "surrogatepass")
            pointer: Pointer | None = "lfs" if lfs else None
            blob = None if lfs else blob_hash(data)
            mode = path in executable
            listing.add(Entry(path, len(data), "file", blob, mode, lfs, pointer, True), raw)  # noqa: FBT003 -- in the order of the fields
        for path in sorted(filter(None, {normal(given) for given in absent})):
            raw = path.encode("utf-8", "surrogatepass")
            listing.add(Entry(path, None, absent=True, tracked=True), raw)
        for path, target in self._given_links.items():
            if path in listing.entries:
                listing.say(f"{path!r} is given as a file and as a link", path)
                continue
            raw = path.encode("utf-8", "surrogatepass")
            listing.add(Entry(path, len(target), "link", tracked=True), raw)
        listing.finish()
        super().__init__(name, listing)

    @property
    def git(self) -> GitInfo | None:
        """What was given."""
        return self._git

    def _load(self, entry: Entry, size: int) -> bytes | Unread:
        return self._files[entry.path][:size]

    def _link_text(self, entry: Entry) -> bytes:
        return self._given_links[entry.path].encode("utf-8", "surrogatepass")
