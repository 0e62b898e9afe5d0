"""What a run starts from: memory, replay, a compatible checkpoint."""
