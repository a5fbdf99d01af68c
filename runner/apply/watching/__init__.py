"""A run's page while it goes on: what it shows, and the server that nobody else reaches."""
