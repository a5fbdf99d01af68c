"""Waiting until a host is fit for what comes next: sockets gone, board cool, load low."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Optional

    from runner.records.program import Cooldown

    from .loop import Loop

LOOK_EVERY_S = 0.25
TEMPERATURE = "/sys/class/thermal/thermal_zone0/temp"
LOAD = "/proc/loadavg"
SOCKETS = "/proc/net/sockstat"


def wait(
    loop: Loop, plan: Cooldown, time_wait: Optional[Callable[[], float]] = None
) -> Dict[str, object]:
    """Wait as `plan` asks, `at_most_s` at the longest; give the fields of the event.

    `time_wait` counts sockets that wait for the port of the load; all of them else.
    """
    began = time.monotonic()
    earliest = began + float(plan.get("at_least_s") or 0)
    measures: Dict[str, Callable[[], Optional[float]]] = {
        "time_wait": time_wait or _sockets,
        "temperature": _temperature,
        "load": _load,
    }
    bounds: Dict[str, Optional[float]] = {
        "time_wait": plan.get("time_wait_below"),
        "temperature": plan.get("temperature_below"),
        "load": plan.get("load_below"),
    }
    seen: Dict[str, Optional[float]] = {}
    looked = [0.0]

    def fit() -> bool:
        now = time.monotonic()
        if now < earliest:
            return False
        if now >= looked[0]:
            looked[0] = now + LOOK_EVERY_S
            for name, bound in bounds.items():
                if bound is not None:
                    seen[name] = measures[name]()
        # what cannot be measured here cannot be waited for
        return all(
            value is None or value < float(bounds[name] or 0) for name, value in seen.items()
        )

    longest = max(float(plan.get("at_most_s") or 0), earliest - began)
    done = loop.wait(longest, fit)
    absent = sorted(name for name, value in seen.items() if value is None)
    fields: Dict[str, object] = {"time_wait": 0, **seen, "drained": done}
    fields["after_s"] = round(time.monotonic() - began, 6)
    if absent:
        fields["absent"] = absent
    return fields


def _sockets() -> Optional[float]:
    return _number(SOCKETS, lambda text: float(text.split(" tw ")[1].split()[0]))


def _temperature() -> Optional[float]:
    return _number(TEMPERATURE, lambda text: int(text) / 1000)


def _load() -> Optional[float]:
    return _number(LOAD, lambda text: float(text.split()[0]))


def _number(path: str, read: Callable[[str], float]) -> Optional[float]:
    try:
        with open(path, encoding="ascii") as file:
            return read(file.read())
    except (OSError, ValueError, IndexError):
        return None
