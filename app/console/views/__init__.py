"""What the pages of the console show, made of rows."""
