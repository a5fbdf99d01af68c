"""Sections of a spec: what is built, run, required, injected and reported. Pure."""
