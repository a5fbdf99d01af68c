"""A fetched page of Prometheus' or OpenMetrics' text format: `prometheus.<metric>`.

Read by prometheus_client's own parsers; a page that ends in `# EOF` is OpenMetrics. A metric
with labels is named with them, in any order: `prometheus.http_requests_total.code=200`; labels
that are not named are summed over for a counter; of anything else there has to be one, or one
without labels.
Source: prometheus.io/docs/instrumenting/exposition_formats; OpenMetrics 1.0, whose metric names
end in their unit.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from runner.kinds.sources.interface import OF_FETCH, Found, Page, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.kinds.sources.interface import Needs

SUFFIXES: Final = {
    "seconds": "s", "bytes": "B", "ratio": "%", "celsius": "°C", "volts": "V", "amperes": "A",
    "joules": "J", "watts": "W", "hertz": "Hz",
}  # fmt: skip
"""Base units of the naming rules (prometheus.io/docs/practices/naming)."""
PARTS: Final = ("_total", "_sum", "_min", "_max")
LABEL: Final = re.compile(r"\.[^.=]+=")
"""Where labels begin in a reference: a name may hold dots itself (Prometheus 3)."""
QUOTED: Final = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*[,}]')
"""A series with its name in quotes; a key of JSON has a colon behind it."""


class Series(NamedTuple):
    """One sample of a page."""

    name: str
    labels: Mapping[str, str]
    value: float
    counter: bool


class Prometheus:
    """Pages of `workload.fetch` in the text format."""

    name = "prometheus"
    needs: Needs = OF_FETCH
    doc = "a page of `workload.fetch` in the Prometheus text format, by metric"
    known: Mapping[str, str] = MappingProxyType({})
    open: tuple[str, ...] = ("",)

    def unit(self, name: str) -> str | None:
        """Give the unit that the name ends in, as the format rules; None without one."""
        stem = LABEL.split(name)[0]
        for part in ("_count", "_bucket", "_info"):
            if stem.endswith(part):
                return "1"
        if stem.endswith("_created"):
            return "s"
        for part in PARTS:
            stem = stem.removesuffix(part)
        return SUFFIXES.get(stem.rpartition("_")[2])

    def parse(self, printed: Printed) -> Found:
        """Give what is asked of such pages; a page that came later wins."""
        readings = Found()
        asked = [name for name in printed.asked if name.startswith("prometheus.")]
        for page in printed.pages:
            if not is_page(page):
                continue
            try:
                read = series(page.text or "")
            except ValueError as fault:
                readings.why["prometheus"] = f"{page.name} is not a page of Prometheus: {fault}"
                continue
            for name in asked:
                pick(name.removeprefix("prometheus."), read, name, readings)
        return readings


def is_page(page: Page) -> bool:
    """Say whether a page may be one: files of the kernel have lines of that form too."""
    text = "" if page.file else str(page.text or "").lstrip()
    return bool(text) and (not text.startswith(("{", "[")) or QUOTED.match(text) is not None)


def series(text: str) -> list[Series]:
    """Read a page as prometheus_client does; ValueError says which line is none of the format."""
    from prometheus_client.openmetrics.parser import (
        text_string_to_metric_families as open_families,
    )
    from prometheus_client.parser import text_string_to_metric_families as families

    open_metrics = text.rstrip().endswith("# EOF")
    counted = {
        words[2].removesuffix("_total")
        for line in text.split("\n")
        if line.lstrip().startswith("#")
        and (words := line.split())[:2] == ["#", "TYPE"]
        and words[3:] == ["counter"]
    }
    samples: list[Series] = []
    try:
        for family in (open_families if open_metrics else families)(text):
            for one in family.samples:
                native = getattr(one, "native_histogram", None)
                if native is not None:  # it has no value, but what the older form calls these
                    for part in ("count", "sum"):
                        value = float(getattr(native, f"{part}_value"))
                        labels = one.labels or {}
                        samples.append(Series(f"{one.name}_{part}", labels, value, counter=True))
                    continue
                stem = one.name.removesuffix("_total")
                # when a counter began is a moment: moments do not add up
                moment = one.name.endswith("_created")
                counter = not moment and (family.type == "counter" or stem in counted)
                samples.append(Series(one.name, one.labels, float(one.value), counter))
                if counter and one.name.endswith("_total") and not open_metrics:
                    # the parser adds the suffix where a page has none
                    samples.append(Series(stem, one.labels, float(one.value), counter))
    except ValueError:
        raise
    except Exception as fault:
        # the parsers index and unpack what they have not checked
        raise ValueError(f"{type(fault).__name__}: {fault}") from fault
    return samples


def pick(asked: str, read: Sequence[Series], name: str, readings: Found) -> None:
    """Give one number of a page by its name and labels; nothing where the page has none."""
    names = {one.name for one in read if f"{asked}.".startswith(f"{one.name}.")}
    if not names:
        return
    metric = max(names, key=len)
    rest = asked[len(metric) + 1 :]
    meant = [one for one in read if one.name == metric and _labelled(rest, dict(one.labels))]
    if not meant:
        return
    exact = [one for one in meant if len(rest) == len(_written(one.labels))]
    if len(exact) == 1 and (rest or not all(one.counter for one in meant)):
        meant = exact
    if len({tuple(sorted(one.labels.items())) for one in meant}) == 1:
        readings.put(name, meant[-1].value)
    elif all(one.counter for one in meant):
        last = {tuple(sorted(one.labels.items())): one.value for one in meant}
        readings.put(name, sum(last.values()))
    else:
        some = ", ".join(f"{metric}.{_written(one.labels)}" for one in meant[:6])
        readings.absent(name, f"the page has {len(meant)} of them: say one, such as {some}")


def _written(labels: Mapping[str, str]) -> str:
    return ".".join(f"{key}={value}" for key, value in labels.items())


def _labelled(rest: str, labels: dict[str, str]) -> bool:
    """Say whether every label named in `rest` is the sample's; values may hold dots."""
    if not rest:
        return True
    for key, value in labels.items():
        piece = f"{key}={value}"
        if rest == piece or rest.startswith(f"{piece}."):
            others = {k: v for k, v in labels.items() if k != key}
            if _labelled(rest[len(piece) + 1 :], others):
                return True
    return False


PARSER = Prometheus()
