"""What `iperf3 -J` prints: one JSON object, with `error` in it where the test failed.

iperf3 exits 0 also where nobody listens: the object alone says so. Its rates are in bits per
second; here they are bytes per second as everywhere, and `Mbit/s` is a unit to show them in.
Source: iperf 3.12, src/iperf_api.c (iperf_json_finish), src/iperf_client_api.c.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources._json import last_json, mapping, number
from runner.kinds.sources.interface import Closed, Found, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources._json import Json
    from runner.kinds.sources.interface import Needs

SUMS: Final = {
    "sent": "sum_sent", "received": "sum_received",
    "sent_reverse": "sum_sent_bidir_reverse", "received_reverse": "sum_received_bidir_reverse",
}  # fmt: skip
UDP: Final = {
    "jitter": ("jitter_ms", 1e-3), "packets": ("packets", 1.0), "lost": ("lost_packets", 1.0),
    "lost_ratio": ("lost_percent", 1e-2),
}  # fmt: skip
CPU: Final = {"cpu_here": "host_total", "cpu_there": "remote_total"}
BIDIR: Final = "the test went one way: say --bidir"
TCP_ALONE: Final = "counted for TCP alone"
UDP_ALONE: Final = "counted for UDP alone: say -u"


class Iperf3(Closed):
    """iperf3 -J as the workload, run once."""

    name = "iperf3"
    needs: Needs = MappingProxyType({"": ("iperf3",)})
    at_end = True
    doc = "what `iperf3 -J` prints: bytes per second each way, retransmits, jitter, loss"
    known = MappingProxyType({
        "sent": "Mbit/s", "received": "Mbit/s", "sent_reverse": "Mbit/s",
        "received_reverse": "Mbit/s", "bytes": "B", "duration_s": "s", "retransmits": "1",
        "rtt_mean": "ms", "jitter": "ms", "packets": "packets", "lost": "packets",
        "lost_ratio": "%", "cpu_here": "%", "cpu_there": "%",
    })  # fmt: skip

    def parse(self, printed: Printed) -> Found:
        """Read the last object; a test that failed has no numbers, and iperf3's reason."""
        readings = Found()
        numbers, why, error = read(printed.stdout)
        if error:
            readings.why["iperf3"] = error
        for name, value in numbers.items():
            if value is None:
                readings.absent(f"iperf3.{name}", why[name])
            else:
                readings.put(f"iperf3.{name}", value)
        return readings


def read(text: str) -> tuple[dict[str, float | None], dict[str, str], str]:
    """Give numbers by their short names, why some are None, and iperf3's error or "".

    With an error there are no numbers.
    """
    report = mapping(last_json(text))
    if not report:
        return {}, {}, "iperf3 printed no JSON: say -J"
    if report.get("error"):
        return {}, {}, f"iperf3: {report['error']}"
    end = mapping(report.get("end"))
    sums = {name: mapping(end.get(key)) for name, key in SUMS.items()}
    if not sums["sent"] and not sums["received"]:
        return {}, {}, "what iperf3 printed has no sums: it did not end"
    udp = mapping(end.get("sum"))
    cpu = mapping(end.get("cpu_utilization_percent"))
    numbers: dict[str, float | None] = {
        name: number(one, "bits_per_second", 1 / 8) for name, one in sums.items()
    }
    numbers["bytes"] = number(sums["received"], "bytes")
    numbers["duration_s"] = number(sums["received"], "seconds")
    numbers["retransmits"] = number(sums["sent"], "retransmits")
    numbers["rtt_mean"] = _rtt(end)
    numbers |= {name: number(udp, key, size) for name, (key, size) in UDP.items()}
    numbers |= {name: number(cpu, key, 1e-2) for name, key in CPU.items()}
    why = dict.fromkeys(("sent_reverse", "received_reverse"), BIDIR)
    why |= dict.fromkeys(UDP, UDP_ALONE)
    why |= dict.fromkeys(("retransmits", "rtt_mean"), TCP_ALONE)
    missing = "iperf3 did not say it"
    return numbers, {n: why.get(n, missing) for n, v in numbers.items() if v is None}, ""


def _rtt(end: Mapping[str, Json]) -> float | None:
    """Give the mean over the streams of each one's mean round trip, in seconds; µs are printed."""
    streams = end.get("streams")
    means = []
    for stream in streams if isinstance(streams, list) else ():
        one = number(mapping(mapping(stream).get("sender")), "mean_rtt", 1e-6)
        if one:  # 0 where the kernel of the sender measured none
            means.append(one)
    return sum(means) / len(means) if means else None


PARSER = Iperf3()
