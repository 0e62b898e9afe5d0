"""Delivery of webhooks, and the guard against addresses inside our network."""
