"""One file per node. A node returns state, never a destination, and knows no other node."""
