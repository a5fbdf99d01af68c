"""Many trials or runs at once: searches, comparisons, environments. Pure."""
