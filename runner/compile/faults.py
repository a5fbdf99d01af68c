"""A fault of the load → what the agent is told to break. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.records import program
    from runner.spec.sections.faults import Fault


def fault_part(index: int, fault: Fault) -> program.Fault:
    """Give one fault as the agent takes it."""
    found: program.Fault = {
        "index": index,
        "kind": fault.kind,
        "at_s": fault.at.seconds,
        "for_s": fault.for_.seconds if fault.for_ else None,
    }
    if fault.network is not None:
        asked = fault.network
        if asked.down is not None:
            return {**found, "link": asked.down, "down": True}
        words: list[str] = []
        if asked.delay is not None:
            words += ["delay", f"{asked.delay.seconds * 1e3:g}ms"]
            words += [f"{asked.jitter.seconds * 1e3:g}ms"] if asked.jitter else []
        if asked.loss is not None:
            words += ["loss", f"{asked.loss.ratio * 100:g}%"]
        if asked.rate is not None:
            words += ["rate", asked.rate]
        return {**found, "link": asked.link, "netem": words}
    if fault.process is not None:
        return {**found, "do": "pause" if fault.process.pause else "kill"}
    assert fault.memory is not None  # noqa: S101 - the model has exactly one of the three
    return {**found, "bytes": int(fault.memory.pressure.exact)}
