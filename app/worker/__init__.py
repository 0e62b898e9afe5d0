"""Runs the runs: takes them from the queue, drains on a stop, and watches over other workers."""
