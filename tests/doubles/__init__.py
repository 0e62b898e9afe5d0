"""Small servers that speak the wire of an outside service, on loopback."""
