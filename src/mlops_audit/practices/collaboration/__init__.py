"""Collaboration and governance (COL): documents, review, ownership and risks."""
