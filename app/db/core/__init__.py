"""Connections, column types, compiled statements, locks."""
