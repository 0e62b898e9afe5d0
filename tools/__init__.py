"""What can be done to the world, and the toolbox, the only way to it; no model, no database."""
