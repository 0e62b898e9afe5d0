"""How well questions find their articles: `python -m tests.bench.retrieval`."""
