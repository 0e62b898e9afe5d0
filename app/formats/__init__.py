"""Forms of text that other programs write: strict JSON, and rows of JSONL files."""
