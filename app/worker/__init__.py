"""Runs the runs: takes jobs from the queue, drains on a stop, and watches over other workers."""
