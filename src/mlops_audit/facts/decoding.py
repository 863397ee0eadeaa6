"""The text of a file from its bytes."""

from __future__ import annotations

__all__ = ["decode"]


def decode(data: bytes | str) -> str | None:
    """Text of a file: UTF-8 with or without a byte order mark, or UTF-16 with one; else None."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
