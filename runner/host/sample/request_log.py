"""A load generator's log of single requests, summed up where it lies.

A minute of load writes tens of megabytes of `start µs, status, latency µs`. What goes
into the record is the histogram of the latencies: exact up to 2047 µs, above that in
2048 parts per power of two, so that no percentile of it is off by more than 0.05 %.
Histograms of several generators can be added up; percentiles cannot.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict

READ_BYTES = 1 << 17
EXACT_BITS = 11
FAILED = b"-1"
MICRO = 6  # digits of a time in microseconds below the second
LONGEST_S = 100000


def bucket(value: int) -> int:
    """Give the value that stands for `value` and its neighbours: the middle of its part."""
    shift = max(0, value.bit_length() - EXACT_BITS - 1)
    low = value >> shift << shift
    return low + (1 << shift >> 1)


def summarise(path: str, breathe: Callable[[], object]) -> Dict[str, object]:
    """Read a log in pieces, with `breathe()` between them; a missing one gives `why`."""
    statuses: Dict[str, int] = {}
    latencies: Dict[int, int] = {}
    begun: Dict[bytes, int] = {}
    total: Dict[str, int] = {"rows": 0, "bad": 0, "sum_us": 0}
    bounds = [1 << 62, 0]
    try:
        with open(path, "rb", buffering=0) as file:
            rest = b""
            while True:
                data = file.read(READ_BYTES)
                lines = (rest + data).split(b"\n")
                rest = lines.pop()  # of a generator that was killed, half a line
                kinds = Counter(line.partition(b"\t")[2] for line in lines)
                for kind, many in kinds.items():
                    _count(kind, many, statuses, latencies, total, bounds)
                # gone through again: parts of all lines at once are more than a sampler may hold
                seconds = Counter(line.partition(b"\t")[0][:-MICRO] for line in lines)
                for second, many in seconds.items():
                    begun[second] = begun.get(second, 0) + many
                if not data:
                    break
                breathe()
    except OSError as fault:
        return {"why": f"{os.path.basename(path)}: {fault.strerror}"}
    pairs = json.dumps(sorted(latencies.items()), separators=(",", ":")).encode("ascii")
    return {
        **total,
        "statuses": statuses,
        "min_us": bounds[0] if latencies else None,
        "max_us": bounds[1] if latencies else None,
        "per_s": _per_second(begun),
        "histogram": base64.b64encode(zlib.compress(pairs, 9)).decode("ascii"),
    }


def _per_second(begun: Dict[bytes, int]) -> "list[int] | None":
    """Requests begun in each second, from the first to the last; None where times make no sense."""
    seconds = {int(text): many for text, many in begun.items() if text.isdigit()}
    if not seconds or max(seconds) - min(seconds) > LONGEST_S:
        return None
    return [seconds.get(second, 0) for second in range(min(seconds), max(seconds) + 1)]


def _count(
    kind: bytes,
    many: int,
    statuses: Dict[str, int],
    latencies: Dict[int, int],
    total: Dict[str, int],
    bounds: "list[int]",
) -> None:
    status, _, text = kind.partition(b"\t")
    if not text.isdigit():
        total["bad"] += many
        return
    total["rows"] += many
    name = status.decode("ascii", "replace")
    statuses[name] = statuses.get(name, 0) + many
    if status == FAILED:
        return  # the time until it failed is not a latency
    value = int(text)
    total["sum_us"] += value * many
    bounds[0], bounds[1] = min(bounds[0], value), max(bounds[1], value)
    place = bucket(value)
    latencies[place] = latencies.get(place, 0) + many
