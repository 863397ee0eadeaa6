"""Files that stand for content kept elsewhere: Git LFS pointers and git-annex links."""

from __future__ import annotations

import hashlib
import re

from msgspec import Struct

__all__ = ["LFS_SIZES", "LfsPointer", "annex_pointer", "lfs_pointer", "lfs_text"]

# The specification allows a pointer up to 1024 bytes; git-lfs itself writes 120 to 140.
# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
LFS_SIZES = range(80, 1024)
_LFS = re.compile(
    rb"version https?://(?:git-lfs|hawser)\.github\.com/spec/v1\n"
    rb"(?:[^\n]{1,200}\n){0,12}?"
    rb"oid sha256:([0-9a-f]{64})\n"
    rb"(?:[^\n]{1,200}\n){0,12}?"
    rb"size ([0-9]{1,18})(?:\n|\Z)"
)


class LfsPointer(Struct, frozen=True):
    """What a Git LFS pointer says: the content's SHA-256 and its size in bytes."""

    oid: str
    size: int


def lfs_pointer(data: bytes) -> LfsPointer | None:
    """Read a Git LFS pointer file, None if the bytes are none."""
    if len(data) >= LFS_SIZES.stop or not data.startswith(b"version http"):
        return None
    found = _LFS.match(data.replace(b"\r\n", b"\n"))
    return LfsPointer(found[1].decode(), int(found[2])) if found else None


def lfs_text(data: bytes) -> bytes:
    """The pointer that Git LFS would put into git for this content."""
    oid = hashlib.sha256(data).hexdigest()
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n".encode()
    )


def annex_pointer(data: bytes) -> bool:
    """Whether a link's target, or a small file's content, leads into git-annex's store."""
    if len(data) > 32 << 10:  # git-annex's own bound for a pointer file
        return False
    return b".git/annex/objects/" in data or data.startswith(b"/annex/objects/")
