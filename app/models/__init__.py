"""Chat models by role: any OpenAI-compatible server, or the deterministic offline model."""
