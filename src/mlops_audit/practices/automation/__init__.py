"""Automation and operation (AUT): pipelines, CI, CD, retraining, and how predictions are made."""
