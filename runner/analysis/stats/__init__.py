"""Intervals, tests and sample sizes: arrays in, numbers out. Pure."""
