"""Addresses of single values on a host, one kind of address a file."""
