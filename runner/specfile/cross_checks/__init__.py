"""What only the whole spec shows: parts that name, need or exclude each other."""
