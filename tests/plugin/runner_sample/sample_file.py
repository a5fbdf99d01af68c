"""sample_file: a file below /proc/sys by its path, and what has to stand in it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from runner.kinds.resources.interface import Cell, Facts, Json, Values


class SampleModel(BaseModel):
    """`sample_file: {key: vm/stat_interval, value: 2}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    value: int


class SampleFile:
    """One kernel key."""

    name = "sample_file"
    doc = "a kernel key by its path, for tests"
    absent = "always there"
    needs_root = True
    Model = SampleModel

    def candidates(self, payload: SampleModel) -> list[Json]:
        """What is read before anything is planned."""
        return [self._cell(payload).asking().to_json()]

    def plan(self, payload: SampleModel, facts: Facts, values: Values) -> list[Cell]:
        """What has to be so; undo is the value that was read, and is not written here."""
        del facts, values
        return [self._cell(payload)]

    def _cell(self, payload: SampleModel) -> Cell:
        path = f"/proc/sys/{payload.key}"
        want: Any = str(payload.value)
        return Cell(id="sample_file:key", via="pseudo", path=path, want=want, form="integer")


KIND = SampleFile()
