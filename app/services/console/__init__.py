"""Use cases of the console: sign people in and out."""
