"""Sampling kernel files, sockets, counters and answers beside a trial."""
