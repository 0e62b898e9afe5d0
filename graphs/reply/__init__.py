"""What a reply may say, and how it is checked."""
