"""JSON pages that the workload answered, by the name of the fetch: `fetched.stats.a.b`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.kinds.sources._json import read_json
from runner.kinds.sources._text import DEEP, pick
from runner.kinds.sources.interface import OF_FETCH, Found, Page, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs


class Fetched:
    """Pages of `workload.fetch` that are JSON."""

    name = "fetched"
    needs: Needs = OF_FETCH
    doc = "a page of `workload.fetch` that is JSON, by its name: `fetched.stats.a.b`"
    known: Mapping[str, str] = MappingProxyType({})
    open: tuple[str, ...] = ("",)

    def unit(self, name: str) -> str | None:
        """None: JSON has no units."""
        del name
        return None

    def parse(self, printed: Printed) -> Found:
        """Give what is asked of the pages of each name; one that came later wins."""
        readings = Found()
        for page in printed.pages:
            if any(name.startswith(f"fetched.{page.name}") for name in printed.asked):
                _read(page, printed.asked, readings)
        return readings


def _read(page: Page, asked: tuple[str, ...], readings: Found) -> None:
    name = f"fetched.{page.name}"
    if page.text is None:
        readings.absent(name, page.why or "the page is not text")
        return
    try:
        value = read_json(page.text)
    except RecursionError:
        readings.absent(name, DEEP)
        return
    except ValueError:
        readings.absent(name, page.why or "is not JSON")
        return
    if isinstance(value, dict | list):
        pick(value, name, asked, readings)
    else:
        readings.absent(name, "is neither a JSON object nor a list")


PARSER = Fetched()
