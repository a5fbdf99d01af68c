"""JSON pages that the workload answered, by the name of the fetch: `fetched.stats.a.b`."""

from __future__ import annotations

import json

from runner.kinds.sources._text import flatten
from runner.kinds.sources.interface import Found, Printed


class Fetched:
    """Pages of `workload.fetch` that are JSON."""

    name = "fetched"
    doc = "a page of `workload.fetch` that is JSON, by its name: `fetched.stats.a.b`"
    known = ()
    open = True

    def parse(self, printed: Printed) -> Found:
        """Every value of every page; a page that came later wins."""
        found = Found()
        for page in printed.pages:
            name = f"fetched.{page.name}"
            if page.text is None:
                if page.why:
                    found.absent(name, page.why)
            elif page.text.lstrip().startswith(("{", "[")):
                try:
                    flatten(json.loads(page.text), name, found)
                except ValueError:
                    found.absent(name, "is no JSON")
        return found


PARSER = Fetched()
