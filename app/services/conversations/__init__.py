"""What a run knows of the conversation; erasing a customer."""
