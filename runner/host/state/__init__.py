"""The state folder: hold, journal, lease, and what of our changes is in place."""
