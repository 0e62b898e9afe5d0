"""Webhook deliveries and signing secrets."""
