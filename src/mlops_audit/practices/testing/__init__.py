"""Testing (TST): of code, data, models and the running system."""
