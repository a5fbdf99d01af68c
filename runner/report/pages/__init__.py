"""Whole pages: a run's report, the ledger of claims, the static site."""
