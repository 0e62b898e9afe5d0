"""The console: pages for the people who decide and watch, served by the API's process."""
