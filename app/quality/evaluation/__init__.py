"""Measure on tickets with expectations what the service would do and say: `deskgraph eval`."""
