"""Numbers of several generators that loaded one server at the same time, as one.

Counts and rates add up. Histograms add up too, and percentiles come from their sum;
where a generator gives none, percentiles are null with that as the reason: those of
parts say nothing of the whole's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.kinds.generators.histogram import added, latency_numbers, meant_numbers
from runner.kinds.generators.interface import LoadNumbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    Number = float | int | None

SUMS: Final = ("requests", "rps", "good", "good_rps", "unanswered", "bytes", "opened", "errors",
               "planned", "dropped", "rate")  # fmt: skip
NOT_MERGED: Final = "numbers of {} generators cannot be merged"
PERCENTILES: Final = "percentiles of {} generators cannot be merged: use h2load"


def merged(parts: Sequence[LoadNumbers], connections: int) -> LoadNumbers:
    """Merge the parts of one step; `connections` are those of all together."""
    if len(parts) == 1:
        return parts[0]
    error = "; ".join(dict.fromkeys(part.error for part in parts if part.error))
    if error:
        return LoadNumbers(error=error)
    numbers: dict[str, Number] = {}
    own: dict[str, Number] = dict.fromkeys(key for part in parts for key in part.own)
    why: dict[str, str] = dict.fromkeys(own, NOT_MERGED.format(len(parts)))
    for name in dict.fromkeys(key for part in parts for key in part.numbers):
        numbers[name], reason = _merged_number(name, parts)
        if reason:
            why[name] = reason
    if all(part.numbers.get("error_ratio") is not None for part in parts):
        numbers["error_ratio"] = _ratio(parts)
        why.pop("error_ratio", None)
    seconds = numbers.get("duration_s")
    histograms = [part.histogram for part in parts if part.histogram is not None]
    if len(histograms) == len(parts) and seconds:
        histogram = added(histograms)
        paced = all(part.numbers.get("planned") is not None for part in parts)
        numbers |= (
            meant_numbers(histogram) if paced else latency_numbers(histogram, connections, seconds)
        )
        why = {name: said for name, said in why.items() if numbers.get(name) is None}
        return LoadNumbers(numbers, why, histogram, own=own)
    _known_of_parts(parts, connections, numbers, why)
    return LoadNumbers(numbers, why, own=own)


def _merged_number(name: str, parts: Sequence[LoadNumbers]) -> tuple[Number, str]:
    """Merge one number of all parts: it, or None and why there is none."""
    known = [value for part in parts if (value := part.numbers.get(name)) is not None]
    if len(known) == len(parts) and (name in SUMS or name.startswith("errors.")):
        return sum(known), ""
    if name in {"duration_s", "behind"} and known:
        return max(known), ""
    if name.startswith("latency_") or name in {"littles_law", "error_ratio"}:
        return None, PERCENTILES.format(len(parts))
    reasons = (part.why[name] for part in parts if name in part.why)
    return None, next(reasons, NOT_MERGED.format(len(parts)))


def _ratio(parts: Sequence[LoadNumbers]) -> float:
    """Errors among all attempts: a part's attempts follow from its own ratio."""
    errors = attempts = 0.0
    for part in parts:
        own, ratio = float(part.numbers.get("errors") or 0), part.numbers.get("error_ratio")
        errors += own
        attempts += own / ratio if ratio and own else float(part.numbers.get("requests") or 0)
    return min(1.0, errors / attempts) if attempts else 1.0


def _known_of_parts(
    parts: Sequence[LoadNumbers],
    connections: int,
    numbers: dict[str, Number],
    why: dict[str, str],
) -> None:
    """Give extremes and means, which do follow from those of parts."""
    for view in ("latency_", "latency_corrected_"):
        for name, pick in (("min", min), ("max", max)):
            known = [v for part in parts if (v := part.numbers.get(view + name)) is not None]
            if len(known) == len(parts):
                numbers[view + name] = pick(known)
                why.pop(view + name, None)
    weights = [float(part.numbers.get("requests") or 0) for part in parts]
    means = [part.numbers.get("latency_mean") for part in parts]
    total = sum(weights)
    if total and all(mean is not None for mean in means):
        mean = sum(float(m or 0) * w for m, w in zip(means, weights, strict=True)) / total
        numbers["latency_mean"] = mean
        why.pop("latency_mean", None)
        rps = numbers.get("rps")
        if rps:
            numbers["littles_law"] = mean / (connections / rps)
            why.pop("littles_law", None)
