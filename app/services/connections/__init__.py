"""Use cases of connections: set them up, take what their hooks say, deliver to them."""
