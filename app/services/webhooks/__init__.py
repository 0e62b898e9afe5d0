"""Webhooks to send, and their signing secrets."""
