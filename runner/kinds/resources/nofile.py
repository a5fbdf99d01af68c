"""nofile: open files per process, of the workload and of the load generator.

The limit itself is set on each process before it starts (`rlimit`). What the
host has to give is fs.nr_open, the ceiling of every hard limit: setrlimit(2)
fails with EPERM above it, for root too.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field, StrictInt, model_validator

from runner.host.cells.normal_forms import integer
from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Frozen,
    Json,
    Planned,
    Root,
    Unknown,
    Values,
)

_LEAST = 64
Count = Annotated[StrictInt, Field(ge=_LEAST, le=2**30)]


class SoftHard(Frozen):
    """Both limits, where they differ."""

    soft: Count = Field(description="what a process starts with")
    hard: Count = Field(description="what it may raise it to")

    @model_validator(mode="after")
    def _order(self) -> "SoftHard":
        if self.soft > self.hard:
            raise ValueError("the soft limit is above the hard one")
        return self


def _both(value: object) -> object:
    return {"soft": value, "hard": value} if isinstance(value, int) else value


class NofileModel(
    Root[Annotated[SoftHard, BeforeValidator(_both, json_schema_input_type=int | SoftHard)]]
):
    """`nofile: 20000`, or `{soft: 1024, hard: 20000}`."""

    @property
    def rlimit(self) -> tuple[int, int]:
        """Soft and hard limit of a process."""
        return self.root.soft, self.root.hard


class Nofile:
    """Limit of open files."""

    name = "nofile"
    doc = (
        "open files per process: `20000`; raises fs.nr_open where that is lower, "
        "and is the limit of workload and load generator"
    )
    absent = "always there"
    fixed = ""
    sets: tuple[str, ...] = ("limits.nofile_", "sysctl.fs.nr_open", "sysctl.fs.file-max")
    needs_root = True
    Model = NofileModel

    _PATHS = {"fs.nr_open": "/proc/sys/fs/nr_open", "fs.file-max": "/proc/sys/fs/file-max"}  # noqa: RUF012 - a constant

    def _cell(self, key: str, want: int) -> Cell:
        return Cell(
            id=f"nofile:{key}",
            via="pseudo",
            path=self._PATHS[key],
            want=str(want),
            form="integer",
        )

    def candidates(self, payload: NofileModel) -> list[Json]:  # noqa: ARG002 - the same two for every limit
        """Read both ceilings."""
        return [self._cell(key, 0).asking().to_json() for key in self._PATHS]

    def plan(self, payload: NofileModel, facts: Facts, values: Values) -> Planned:  # noqa: ARG002 - kernel files only
        """Raise a ceiling that is too low; never lower one."""
        _, hard = payload.rlimit
        cells: list[Cell] = []
        for key in self._PATHS:
            seen = values.get(f"nofile:{key}")
            now = integer(seen) if isinstance(seen, str) else None
            if now is None:
                return Unknown(key)
            if now < hard:
                cells.append(self._cell(key, hard))
        return cells


KIND = Nofile()
