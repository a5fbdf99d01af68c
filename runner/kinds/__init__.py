"""Resources, sources and load generators, one file each, and their discovery. Pure."""
