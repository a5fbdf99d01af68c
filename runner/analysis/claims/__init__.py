"""Estimates, statements and published numbers, and their verdicts. Pure."""
