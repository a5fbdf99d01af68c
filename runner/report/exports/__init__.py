"""A run's numbers for other programs, one format a file. Pure."""
