"""Tests of how texts are read."""
