"""Run folders: what was asked, what was seen, what came of it; readable after any crash."""
