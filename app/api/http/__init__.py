"""What every route shares: dependencies, problems, pagination, bodies, OpenAPI."""
