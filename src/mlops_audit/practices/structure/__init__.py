"""Structure (STR): where code, data and notebooks stand, and what is kept apart."""
