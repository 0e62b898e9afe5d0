"""Database rows as the JSON that the API shows."""
