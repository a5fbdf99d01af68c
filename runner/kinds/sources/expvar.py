"""The page of Go's package expvar (/debug/vars): every published variable, `expvar.a.b`.

A page is one of expvar's by its two variables that are always there, `cmdline` and
`memstats`; the latter is the family `memstats`. Source: package expvar of Go 1.22.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.kinds.sources._text import objects, pick
from runner.kinds.sources.interface import OF_PAGES, Found, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs


class Expvar:
    """Published variables of the workload."""

    name = "expvar"
    needs: Needs = OF_PAGES
    doc = "variables of /debug/vars, fetched by `workload.fetch`"
    known: Mapping[str, str] = MappingProxyType({})
    open: tuple[str, ...] = ("",)

    def unit(self, name: str) -> str | None:
        """None: a variable is a number, and its unit is in the program's head."""
        del name
        return None

    def parse(self, printed: Printed) -> Found:
        """Give what is asked of the pages; one that came later wins."""
        readings = Found()
        pages = [page for page in objects(printed) if is_page(page)]
        if not pages:
            readings.why["expvar"] = (
                'no expvar page was fetched: import _ "expvar" and add to workload '
                'fetch: [{name: vars, url: "http://127.0.0.1:{port}/debug/vars"}]'
            )
        for page in pages:
            pick(page, "expvar", printed.asked, readings)
        return readings


def is_page(value: Mapping[str, object]) -> bool:
    """Whether an object is what expvar's handler gives."""
    return isinstance(value.get("memstats"), dict) and "cmdline" in value


PARSER = Expvar()
