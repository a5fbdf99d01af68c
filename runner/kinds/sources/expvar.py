"""The page of Go's package expvar (/debug/vars): every published variable, `expvar.a.b`.

A page is one of expvar's by its two variables that are always there, `cmdline` and
`memstats`; the latter is the family `memstats`. Source: package expvar of Go 1.22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from runner.kinds.sources._pages import objects
from runner.kinds.sources._text import flatten
from runner.kinds.sources.interface import Found, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_page(value: Mapping[str, Any]) -> TypeGuard[Mapping[str, Any]]:
    """Whether an object is what expvar's handler gives."""
    return isinstance(value.get("memstats"), dict) and "cmdline" in value


class Expvar:
    """Published variables of the workload."""

    name = "expvar"
    doc = "variables of /debug/vars, fetched by `workload.fetch`"
    known = ()
    open = True

    def parse(self, printed: Printed) -> Found:
        """Give every variable; a page that came later wins."""
        found = Found()
        pages = [page for page in objects(printed) if is_page(page)]
        if not pages:
            found.why["expvar"] = (
                'no expvar page was fetched: import _ "expvar" and add to workload '
                'fetch: [{name: vars, url: "http://127.0.0.1:{port}/debug/vars"}]'
            )
        for page in pages:
            for name, value in page.items():
                if name not in {"cmdline", "memstats"}:
                    flatten(value, f"expvar.{name}", found)
        return found


PARSER = Expvar()
