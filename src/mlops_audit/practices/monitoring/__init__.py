"""Monitoring (MON): of inputs, predictions, services and resources in production."""
