"""Hypothesis for every test: a loaded machine is no fault of the code."""

from hypothesis import settings

settings.register_profile("project", deadline=None)
settings.load_profile("project")
