"""What can be done to the world, and the toolbox, the only way to it. Knows no model, no web and no database."""
