"""A tenant's pause and policy."""
