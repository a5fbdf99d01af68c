"""What every event of a host has: its kind, and when it was."""

from __future__ import annotations

import re

import msgspec

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def kind_of(name: str) -> str:
    """`StepEnded` is the kind `step_ended`."""
    return _WORD.sub("_", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=kind_of):
    """One line of a host. Fields of a newer host that are not known here are left out."""

    at: float = 0.0
    """Unix seconds, by the host's clock."""
    t: float | None = None
    """Of a trial: seconds since its start, by the monotonic clock."""

    @property
    def kind(self) -> str:
        """What the host calls it."""
        return str(self.__struct_config__.tag)


class Fault(msgspec.Struct, frozen=True):
    """Why a program or a trial failed: one of the codes of the contract, and words."""

    code: str = "internal"
    message: str = ""
    fix: str = ""
