"""One run through the graph: claim it, execute it, store how it ended."""
