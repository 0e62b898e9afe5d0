"""What can be done to the world, and the one door to it. Knows no model, no web and no database."""
