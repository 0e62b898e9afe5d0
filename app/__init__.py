"""The service: HTTP, Postgres, processes."""
