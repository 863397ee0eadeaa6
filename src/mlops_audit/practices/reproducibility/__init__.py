"""Reproducibility (REP): the same inputs give the same result elsewhere and later."""
