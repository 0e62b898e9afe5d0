"""Trains a tenant's own triage on its labelled tickets, and measures it on those it did not see."""
