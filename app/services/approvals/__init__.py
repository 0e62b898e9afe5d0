"""Decide an approval."""
