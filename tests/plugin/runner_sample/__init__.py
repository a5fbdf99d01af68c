"""A sample of what an outside package adds to runner."""
