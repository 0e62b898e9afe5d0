"""Traces, step records and metrics for operators."""
