"""The deterministic model that answers without a key."""
