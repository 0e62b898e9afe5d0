"""A tenant's own trained triage: how a text becomes features, and how stored weights read them."""
