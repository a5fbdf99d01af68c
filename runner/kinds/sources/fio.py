"""What `fio --output-format=json` prints: rates and latency of reads, writes and trims.

fio is the program that is measured, and asks no server: it is a workload that is run once,
not a load generator. Of several jobs rates add up; their latencies do not, but for the least
and the largest: say --group_reporting, or one job. `read.latency_p99` is of completion
(clat), where fio counts percentiles, unless --lat_percentiles=1 has it count them of the whole.
Source: fio 3.33, stat.c (show_thread_status_json, add_ddir_status_json).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources._json import last_json, mapping, number
from runner.kinds.sources.interface import Closed, Found, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.kinds.sources._json import Json
    from runner.kinds.sources.interface import Needs

WAYS: Final = ("read", "write", "trim")
PERCENTILES: Final = {
    "p50": "50.000000", "p90": "90.000000", "p95": "95.000000", "p99": "99.000000",
    "p999": "99.900000", "p9999": "99.990000",
}  # fmt: skip
OF_LATENCY: Final = {"min": "min", "mean": "mean", "max": "max", "stdev": "stddev"}
UNITS: Final = {
    "bandwidth": "MB/s", "iops": "/s", "bytes": "B", "operations": "ops",
    "duration_s": "s",
    **{f"latency_{name}": "us" for name in (*OF_LATENCY, *PERCENTILES)},
}  # fmt: skip
NONE: Final = "the jobs did no {}"
SEVERAL: Final = "latencies of {} jobs do not add up: say --group_reporting"


class Fio(Closed):
    """fio as the workload, run once."""

    name = "fio"
    needs: Needs = MappingProxyType({"": ("workload", "fio")})
    at_end = True
    doc = "what `fio --output-format=json` prints: bandwidth, operations per second, latency"
    known = MappingProxyType({f"{way}.{name}": u for way in WAYS for name, u in UNITS.items()})

    def parse(self, printed: Printed) -> Found:
        """Read the last object; a job that failed leaves no numbers, but its error."""
        readings = Found()
        report = mapping(last_json(printed.stdout))
        listed = report.get("jobs")
        jobs = [mapping(job) for job in listed] if isinstance(listed, list) else []
        if not jobs or "fio version" not in report:
            readings.why["fio"] = "fio printed no JSON: say --output-format=json"
            return readings
        failed = [job for job in jobs if job.get("error")]
        if failed:
            readings.why["fio"] = (
                f"job {failed[0].get('jobname')} failed: error {failed[0]['error']}"
            )
            return readings
        for way in WAYS:
            ways = [mapping(job.get(way)) for job in jobs]
            for name, value in _of(ways).items():
                if value is None:
                    readings.absent(f"fio.{way}.{name}", _why(way, ways))
                else:
                    readings.put(f"fio.{way}.{name}", value)
        return readings


def _of(ways: Sequence[Mapping[str, Json]]) -> dict[str, float | None]:
    """Give the numbers of one direction over all jobs, in base units."""
    done = [one for one in ways if number(one, "total_ios")]
    if not done:
        return dict.fromkeys(UNITS)
    numbers: dict[str, float | None] = {
        "bandwidth": sum(number(one, "bw_bytes") or 0.0 for one in done),
        "iops": sum(number(one, "iops") or 0.0 for one in done),
        "bytes": sum(number(one, "io_bytes") or 0.0 for one in done),
        "operations": sum(number(one, "total_ios") or 0.0 for one in done),
        "duration_s": max(number(one, "runtime", 1e-3) or 0.0 for one in done),
    }
    latency = [mapping(one.get("lat_ns")) for one in done]
    for name, key in OF_LATENCY.items():
        known = [value for one in latency if (value := number(one, key, 1e-9)) is not None]
        pick = {"min": min, "max": max}.get(name)
        one_job = len(known) == 1
        numbers[f"latency_{name}"] = (
            known[0] if one_job else pick(known) if pick and known else None
        )
    for name, key in PERCENTILES.items():
        known = [value for one in done if (value := _percentile(one, key)) is not None]
        numbers[f"latency_{name}"] = known[0] if len(known) == len(done) == 1 else None
    return numbers


def _percentile(one: Mapping[str, Json], key: str) -> float | None:
    """Give a percentile in seconds: of the whole where fio counted it, else of completion."""
    for kind in ("lat_ns", "clat_ns"):
        value = number(mapping(mapping(one.get(kind)).get("percentile")), key, 1e-9)
        if value is not None:
            return value
    return None


def _why(way: str, ways: Sequence[Mapping[str, Json]]) -> str:
    done = sum(1 for one in ways if number(one, "total_ios"))
    if not done:
        return NONE.format({"read": "reads", "write": "writes", "trim": "trims"}[way])
    return SEVERAL.format(done) if done > 1 else "fio was told not to count it"


PARSER = Fio()
