"""What a program complained of: its last JSON object (`stderr.json.a.b`), or a pattern of it."""

from __future__ import annotations

from runner.sources._text import flatten, last_object, search
from runner.sources.interface import Found, Printed


class Stderr:
    """The workload's standard error."""

    name = "stderr"
    doc = "last JSON object (`stderr.json.a.b`), or the metric's `pattern` (`stderr.regex`)"
    known = ("regex",)
    open = True

    def parse(self, printed: Printed) -> Found:
        """Every value of the last JSON object, and every pattern's match."""
        found = Found()
        said = last_object(printed.stderr)
        if said is not None:
            flatten(said, "stderr.json", found)
        search(printed.stderr, self.name, printed.patterns, found)
        return found


PARSER = Stderr()
