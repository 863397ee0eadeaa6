"""When a new model is trained, and when not."""
