"""Our tables in Postgres: typed models, and plain query functions with the session first."""
