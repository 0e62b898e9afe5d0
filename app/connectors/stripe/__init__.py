"""Stripe as a tenant's payment provider."""
