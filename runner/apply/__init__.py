"""Joins the stages: hosts, state, build, trials, restore, analysis, report."""
