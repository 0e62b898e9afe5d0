"""Alembic migrations of our own tables, one file a change."""
