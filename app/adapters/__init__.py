"""Adapters on our own Postgres and outside servers; each port of the tools is bound to one tenant.

No database connection outlives a call.
"""
