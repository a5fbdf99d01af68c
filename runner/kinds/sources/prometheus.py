"""A fetched page in the Prometheus text format 0.0.4: `prometheus.<metric>`.

A metric with labels is named with them, in the order printed:
`prometheus.http_requests_total.code=200.method=get`; its bare name is the sum over all
labels for a counter, and for anything else its last line. Quantiles are a label as any;
of a histogram its `_sum` and `_count` are read, not its buckets.
Source: prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

import math
import re
from typing import Final

from runner.kinds.sources.interface import Found, Page, Printed

LINE: Final = re.compile(
    r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*"
)
LABEL: Final = re.compile(r'(?P<key>[A-Za-z_]\w*)="(?P<value>(?:[^"\\]|\\.)*)"')
TYPE: Final = re.compile(r"# TYPE (?P<name>\S+) (?P<type>\w+)")


class Prometheus:
    """Pages of `workload.fetch` in the text format."""

    name = "prometheus"
    doc = "a page of `workload.fetch` in the Prometheus text format, by metric"
    known = ()
    open = True

    def parse(self, printed: Printed) -> Found:
        """Every sample of every such page; a page that came later wins."""
        found = Found()
        for page in printed.pages:
            # files of the kernel have lines of that form too
            if page.text and not page.file and not page.text.lstrip().startswith(("{", "[")):
                _page(page, found)
        return found


def _page(page: Page, found: Found) -> None:
    counters: set[str] = set()
    sums: dict[str, float] = {}
    for line in (page.text or "").splitlines():
        declared = TYPE.match(line)
        if declared and declared["type"] == "counter":
            counters.add(declared["name"])
        match = LINE.fullmatch(line)
        if match is None or (
            match["name"].endswith("_bucket") and "le=" in (match["labels"] or "")
        ):
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        name = f"prometheus.{match['name']}"
        labels = "".join(f".{key}={text}" for key, text in LABEL.findall(match["labels"] or ""))
        if labels and match["name"] in counters:
            sums[name] = sums.get(name, 0.0) + value
            _put(name, sums[name], found)
        else:
            _put(name, value, found)
        if labels:
            _put(name + labels, value, found)


def _put(name: str, value: float, found: Found) -> None:
    if math.isfinite(value):
        found.numbers[name] = value
        found.why.pop(name, None)
    else:
        found.absent(name, f"the page says {value}: the quantity does not exist")


PARSER = Prometheus()
