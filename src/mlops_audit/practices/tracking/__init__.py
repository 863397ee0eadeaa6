"""Experiment tracking and metadata (TRK): parameters, metrics, artifacts and lineage of runs."""
