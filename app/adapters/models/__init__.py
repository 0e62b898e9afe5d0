"""What stands between a run and its models: the answer cache and the budget."""
