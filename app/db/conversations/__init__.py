"""The customer's conversation: messages, summaries, erasure."""
