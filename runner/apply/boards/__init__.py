"""Several boards in one run: blocks on each, what is told of them, and a board that dies."""
