"""Hosts, users, specs and records that mean harm: a suite of its own (`make test-attack`)."""
