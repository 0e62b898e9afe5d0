"""Connectors: the helpdesks, mailboxes and payment providers that a tenant can connect."""
