"""What a program printed: its last JSON object (`stdout.json.a.b`), or a pattern of it."""

from __future__ import annotations

from runner.sources._text import flatten, last_object, search
from runner.sources.interface import Found, Printed


class Stdout:
    """The workload's standard output."""

    name = "stdout"
    doc = "last JSON object (`stdout.json.a.b`), or the metric's `pattern` (`stdout.regex`)"
    known = ("regex",)
    open = True

    def parse(self, printed: Printed) -> Found:
        """Every value of the last JSON object, and every pattern's match."""
        found = Found()
        said = last_object(printed.stdout)
        if said is not None:
            flatten(said, "stdout.json", found)
        search(printed.stdout, self.name, printed.patterns, found)
        return found


PARSER = Stdout()
