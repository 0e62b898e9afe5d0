"""Start, cancel, replay and compare runs."""
