"""Go's benchmark format, as benchstat reads it: medians over the lines of each benchmark.

A benchmark is its package (`pkg:` lines), its whole name and its `-cpu` suffix, which Go
leaves out for one CPU: `gobench.Copy.size-64-4.ns_per_op`. A name without suffix or package
means that benchmark where it ran in one way only; columns without a name where there is one
benchmark only. `Get-1` is Get with one CPU where others ran too.
Source: golang.org/design/14313-benchmark-format; golang.org/x/perf, benchfmt and benchunit.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from runner.kinds.sources.interface import OF_WORKLOAD, Found, Needs, Printed, only_a_part
from runner.records.units import BASE_UNIT, BYTES, COUNT, RATIO, Unit, UnitError, read_unit

UNITS: Final = {
    "ns/op": "ns_per_op",
    "B/op": "bytes_per_op",
    "allocs/op": "allocs_per_op",
    "mallocs/op": "mallocs_per_op",
    "MB/s": "mb_per_s",
}
SUFFIX: Final = re.compile(r"-\d+$")
PACKAGE: Final = re.compile(r"pkg:[ \t]+(\S.*)$|pkg:$")
TIMES_RUN: Final = re.compile(r"\+?\d{1,18}$")
NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|[+-]?(?i:inf|nan)$")
WORDS: Final = re.compile(r"[/-]|\*")
WRITTEN: Final = {"sec": "s"}
"""What benchunit calls a unit that has another name here."""


@dataclass(frozen=True)
class Benchmark:
    """One benchmark; all parts as a reference names them, with dots for slashes."""

    package: str
    name: str
    procs: str
    """`-4`, or empty."""

    @property
    def full(self) -> str:
        """Name with what its suffix says."""
        return self.name + self.procs

    def known_as(self, asked: str) -> bool:
        """Say whether a reference may mean it: with or without package and suffix."""
        names = {self.name, self.full, f"{self.name}{self.procs or '-1'}"}
        return asked in names or asked in {f"{self.package}.{name}" for name in names}

    def is_exactly(self, asked: str, *, among_others: bool) -> bool:
        """Say whether a reference names its suffix: a name alone does, where Go wrote one."""
        named = self.full if self.procs else f"{self.name}-1"
        alone = "" if among_others else self.full
        return asked in (named, alone, f"{self.package}.{named}", f"{self.package}.{alone}")


@lru_cache(maxsize=1024)
def column_unit(unit: str) -> tuple[str, float, str]:
    """Give the base unit of a column, its size there and how it is shown.

    `ns/op` → (s, 1e-9, ns), `p99-ms` → (s, 1e-3, ms), `GB/s` → (B/s, 1e9, GB/s); a count is 1.
    """
    above, _, below = unit.partition("/")
    per = "/s" if below in ("s", "sec") else ""
    for word in WORDS.split(above):
        read = _known(WRITTEN.get(word, word))
        # a second per second is neither a rate of bytes nor a time
        if read is not None and not (per and read.dimension != BYTES):
            base = BASE_UNIT[read.dimension]
            return f"{base}{per}", float(read.size), f"{read.name}{per}"
    return (per or "1"), 1.0, (per or "1")


def _known(word: str) -> Unit | None:
    """Give a unit of time, bytes or energy; `min-ns` is a least time, and `m` may be anything."""
    try:
        read = read_unit(word)
    except UnitError:
        return None
    other = word == "min" or (len(word) == 1 and word not in "BsJ")
    return None if other or read.dimension in (COUNT, RATIO) else read


class GoBench:
    """Benchmark lines on stdout."""

    name = "gobench"
    needs: Needs = OF_WORKLOAD
    at_end = True
    doc = "columns of `go test -bench`, also by benchmark: `gobench.Name-4.allocs_per_op`"
    known = MappingProxyType({
        "ns_per_op": "ns", "bytes_per_op": "B", "allocs_per_op": "allocs",
        "mallocs_per_op": "allocs", "mb_per_s": "MB/s", "iterations": "iterations",
    })  # fmt: skip
    open: tuple[str, ...] = ("",)  # names of benchmarks, and units of b.ReportMetric

    def unit(self, name: str) -> str | None:
        """Give the unit of a benchmark's column, which its name is."""
        last = name.rpartition(".")[2]
        if last in self.known:
            return self.known[last]
        written = last.replace("_per_", "/")
        return column_unit(written)[2]

    def parse(self, printed: Printed) -> Found:
        """Medians over all lines of each benchmark, and what the asked names mean."""
        readings = Found()
        ran = read(printed.stdout)
        if not ran:
            readings.why["gobench"] = "no benchmark line was printed on stdout"
        if printed.left_out.get("stdout"):
            # medians over the lines that are left would be others
            readings.why["gobench"] = only_a_part("stdout", printed.left_out["stdout"])
            return readings
        packages = len({one.package for one in ran}) > 1
        for benchmark, columns in ran.items():
            full = f"{benchmark.package}.{benchmark.full}" if packages else benchmark.full
            for key, values in columns.items():
                readings.put(f"gobench.{full}.{key}", _median(values))
        for name in dict.fromkeys((*printed.asked, *(f"gobench.{key}" for key in self.known))):
            if name.startswith("gobench."):
                _resolve(name, ran, readings)
        return readings


def read(text: str) -> dict[Benchmark, dict[str, list[float]]]:
    """Give the values of every column of every benchmark, in base units, in order.

    A line that is none of the format's is passed over, as benchstat does.
    """
    ran: dict[Benchmark, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    package = ""
    for line in text.split("\n"):
        match = PACKAGE.match(line.rstrip())
        if match:
            package = (match[1] or "").strip().replace("/", ".")
            continue
        if not line.startswith("Benchmark"):
            continue
        words = line.split()
        name = words[0].removeprefix("Benchmark")
        rest = words[2:]
        pairs = list(zip(rest[::2], rest[1::2], strict=False))
        # one word that is none of the format makes the whole line something else
        if (
            len(words) < 4
            or len(rest) % 2
            or not TIMES_RUN.match(words[1])
            or not all(NUMBER.match(amount) for amount, _ in pairs)
        ):
            continue
        suffix = SUFFIX.search(name)
        procs = suffix[0] if suffix else ""
        bare = name.removesuffix(procs) if procs else name
        columns = ran[Benchmark(package, bare.replace("/", "."), procs)]
        columns["iterations"].append(float(words[1]))
        for amount, unit in pairs:
            size = column_unit(unit)[1]
            columns[UNITS.get(unit, _key(unit))].append(_scaled(float(amount), size))
    return ran


def _median(values: list[float]) -> float:
    """Give the median; NaN where one of them is: it has no place in an order."""
    return math.nan if any(map(math.isnan, values)) else statistics.median(values)


def _scaled(value: float, size: float) -> float:
    # a division by a power of ten is rounded once, its inverse twice
    return value / round(1 / size) if size < 1 else value * size


def _key(unit: str) -> str:
    return unit.replace("/", "_per_").replace(".", "_")


def _resolve(name: str, ran: dict[Benchmark, dict[str, list[float]]], readings: Found) -> None:
    """Give the one benchmark that a name means; None with the candidates where several do."""
    asked, _, column = name.removeprefix("gobench.").rpartition(".")
    asked = asked.removeprefix("Benchmark").replace("/", ".")
    having = [one for one, columns in ran.items() if column in columns]
    meant = [one for one in having if not asked or one.known_as(asked)]
    exact = [one for one in meant if asked and one.is_exactly(asked, among_others=len(meant) > 1)]
    if len(exact) == 1:
        meant = exact
    if len(meant) == 1:
        readings.put(name, _median(ran[meant[0]][column]))
    elif meant:
        several = len({one.package for one in meant}) > 1
        names = [
            (f"{one.package}." if several else "") + one.name + (one.procs or "-1")
            if len({other.procs for other in meant}) > 1
            else (f"{one.package}." if several else "") + one.full
            for one in meant
        ]
        readings.absent(name, f"several benchmarks are meant: say one of {', '.join(names[:12])}")
    elif ran and asked:
        known = ", ".join(dict.fromkeys(one.full for one in ran))
        readings.absent(
            name, f"no benchmark {asked} with a column {column}; there are {known[:300]}"
        )
    elif ran:
        readings.absent(name, f"no benchmark has a column {column}")


PARSER = GoBench()
