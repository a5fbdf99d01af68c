"""Rules of method by subject; each file holds a table `RULES`, and is found by its name."""
