"""Runs: start, transitions, scheduling, workers, retention."""
