"""Which port the workload listens on. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.records.secrets import literal
from runner.spec.expand import canonical_json

if TYPE_CHECKING:
    from runner.records.program import Listen
    from runner.spec.experiment import Experiment

_LITERAL = re.compile(r"(?:https?|tcp|redis)://[^/?#]*:(\d+)(?:[/?#]|$)")


def knows_port(experiment: Experiment) -> bool:
    """Whether the workload is told a port, or is said to have one: there it can be looked for."""
    workload, load = experiment.workload, experiment.load
    if workload is None:
        return False
    told = "{port}" in canonical_json(workload.model_dump(mode="json", exclude_none=True))
    said = load is not None and _LITERAL.match(literal(load.url)) is not None
    return told or said or workload.port is not None


def listen_part(experiment: Experiment) -> Listen | None:
    """Give the port that is fixed, one to be chosen where `{port}` is named, or None for none.

    A load whose URL says a number has that port: its connections are counted there.
    """
    workload, load = experiment.workload, experiment.load
    if workload is not None and workload.port is not None:
        return {"port": workload.port}
    sections = [
        section.model_dump(mode="json", by_alias=True, exclude_none=True)
        for section in (workload, load)
        if section is not None
    ]
    if any("{port}" in canonical_json(section) for section in sections):
        return {"port": None}
    said = _LITERAL.match(literal(load.url)) if load is not None else None
    return {"port": int(said[1])} if said and 0 < int(said[1]) < 1 << 16 else None
