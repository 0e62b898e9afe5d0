"""Real software of other people, beside the doubles: `make real-world`."""
