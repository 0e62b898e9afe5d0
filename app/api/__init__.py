"""The HTTP API under /v1: JSON in, JSON or problem+json out."""
