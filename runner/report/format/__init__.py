"""How numbers, words and Markdown are written. Pure."""
