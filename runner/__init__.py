"""Declarative systems experiments: apply, measure, restore, judge published numbers."""

__version__ = "0.1.0"
