"""The pipeline, run by an orchestrator."""
