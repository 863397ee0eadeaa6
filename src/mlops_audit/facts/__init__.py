"""Readers: bytes of one kind of source in, typed facts with positions out; pure and cacheable."""
