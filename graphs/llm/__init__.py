"""The gateway to language models: budget, circuit breaker, fallback, structured output."""
