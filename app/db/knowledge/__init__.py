"""Articles, search and the answer cache."""
