"""Guards before a model call: the answer cache and the budget."""
