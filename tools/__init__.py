"""Tools and effects, and the toolbox, the only way to call them; no model, no database."""
