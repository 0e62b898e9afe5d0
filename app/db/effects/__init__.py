"""Approvals, the ledger, hand-offs and mailings."""
