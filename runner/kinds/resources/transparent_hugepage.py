"""transparent_hugepage: when the kernel backs memory with huge pages by itself.

The files show `always [madvise] never`: the bracket is the value.
Source: Documentation/admin-guide/mm/transhuge.rst.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from runner.kinds.resources.interface import (
    UNSET,
    Cell,
    Facts,
    Frozen,
    Json,
    Planned,
    Root,
    Skipped,
    Values,
    no_switch,
)
from runner.records.plain import Json as PlainJson

ROOT = "/sys/kernel/mm/transparent_hugepage"


def _word(value: object) -> object:
    return no_switch(value, "always", "never")


Enabled = Annotated[Literal["always", "madvise", "never"], BeforeValidator(_word)]
Defrag = Annotated[
    Literal["always", "defer", "defer+madvise", "madvise", "never"], BeforeValidator(_word)
]
Shmem = Annotated[
    Literal["always", "within_size", "advise", "never", "deny", "force"], BeforeValidator(_word)
]


class Settings(Frozen):
    """Each file of its own."""

    enabled: Enabled | None = Field(None, description="anonymous memory")
    defrag: Defrag | None = Field(None, description="whether a fault waits for compaction")
    shmem_enabled: Shmem | None = Field(None, description="shared memory and tmpfs")


def _short(value: object) -> object:
    return {"enabled": value} if isinstance(value, (str, bool)) else value


Short = Literal["always", "madvise", "never"]


class ThpModel(
    Root[Annotated[Settings, BeforeValidator(_short, json_schema_input_type=Short | Settings)]]
):
    """`transparent_hugepage: madvise`, or `{enabled: always, defrag: never}`."""


class TransparentHugepage:
    """Transparent huge pages."""

    name = "transparent_hugepage"
    doc = "`always`, `madvise` or `never`; or `{enabled: …, defrag: …, shmem_enabled: …}`"
    absent = "skipped where the kernel has none"
    fixed = ""
    sets: tuple[str, ...] = ("thp",)
    needs_root = True
    Model = ThpModel

    def _cells(self, payload: ThpModel) -> list[Cell]:
        modes = payload.root.model_dump(exclude_none=True)
        return [
            Cell(
                id=f"transparent_hugepage:{file}",
                via="pseudo",
                path=f"{ROOT}/{file}",
                want=want,
                form="bracket",
            )
            for file, want in modes.items()
        ]

    def candidates(self, payload: ThpModel) -> list[Json]:
        """Read what is declared."""
        return [cell.asking().to_json() for cell in self._cells(payload)]

    def plan(self, payload: ThpModel, facts: Facts, values: Values) -> Planned:
        """One cell a file."""
        cells = self._cells(payload)
        none = "thp" in facts and facts["thp"] is None
        if none or (cells and all(values.get(cell.id, UNSET) is None for cell in cells)):
            return Skipped("the kernel has no transparent huge pages")
        return cells

    def place(self, fact: str) -> tuple[str, ...] | None:
        """Of each of the three files."""
        files = {"thp": "enabled", "thp.defrag": "defrag", "thp.shmem": "shmem_enabled"}
        return ("system", self.name, files[fact]) if fact in files else None

    def of_fact(self, fact: str, value: PlainJson) -> PlainJson:  # noqa: ARG002 - words alike
        """Declare the word in brackets."""
        return value


KIND = TransparentHugepage()
