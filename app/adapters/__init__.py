"""The tools' ports on our own Postgres, each bound to one tenant. No connection outlives a call."""
