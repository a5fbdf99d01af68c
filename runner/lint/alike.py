"""What a treatment comes to, so that levels of one effect are known however they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from runner.host.cells.normal_forms import integer
from runner.records.quantities import COUNT, QuantityError, parse
from runner.spec.treatments import Sections, sections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records.quantities import Quantity
    from runner.spec.experiment import Experiment

KERNEL = ("sysctl", "sysfs")
"""Sections of `system` whose numbers the kernel reads: 0xa is 10 there."""


def effect(experiment: Experiment, levels: Mapping[str, str]) -> str:
    """Give a treatment's sections in one spelling: equal texts have equal effects."""
    written = sections(experiment, levels)
    try:
        made = Sections.model_validate(written)
    except ValidationError:  # said where the levels are checked
        return repr(written)
    # as it is judged: 16384KiB and 16MiB are one number there, and a default is what it is
    data = {name: getattr(made, name) for name in written}
    said: dict[str, Any] = {
        name: section.model_dump(mode="json", by_alias=True)
        for name, section in data.items()
        if section is not None
    }
    for kind in KERNEL:
        values = (said.get("system") or {}).get(kind)
        if isinstance(values, dict):
            said["system"][kind] = {key: _kernel(value) for key, value in values.items()}
    # what a secret says is not shown by its dump, and where it comes from is
    return repr(said)


def amount(level: str) -> Quantity | None:
    """Give the amount that a level's name is; None without a unit: `1.10` may be a version."""
    try:
        found = parse(level)
    except QuantityError:
        return None
    return None if found.dimension == COUNT else found


def _kernel(value: object) -> object:
    words = str(value).split()
    return [word if (n := integer(word)) is None else n for word in words]
