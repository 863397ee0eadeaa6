"""Reads ML repositories and says, with file and line, which MLOps practices they really have."""
