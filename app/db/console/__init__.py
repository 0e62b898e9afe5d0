"""Queries of the console: sessions, what waits for people, claims and snoozes."""
