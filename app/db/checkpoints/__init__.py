"""LangGraph's checkpoints: fenced, and committed in groups."""
