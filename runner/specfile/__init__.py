"""Files of users: specs and inventories, with faults at their places."""

from __future__ import annotations

from runner.specfile.errors import Fault, SpecFaults, render
from runner.specfile.load import Loaded, load, load_document, parse_text

__all__ = ["Fault", "Loaded", "SpecFaults", "load", "load_document", "parse_text", "render"]
