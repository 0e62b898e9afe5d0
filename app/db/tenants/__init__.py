"""Tenants: keys, policy, rate limit, spend, pauses."""
