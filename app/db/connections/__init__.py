"""Queries on connections, on what their hooks said, and on what they are to get."""
