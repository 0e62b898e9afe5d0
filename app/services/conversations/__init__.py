"""Load the conversation for a run; erase a customer."""
