"""Use cases: check, change rows, enqueue; no HTTP, no commit."""
