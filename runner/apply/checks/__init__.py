"""What is checked before a run begins: the spec against its hosts."""
