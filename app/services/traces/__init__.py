"""What is noted on traces after they ended."""
