"""hugepages: how many huge pages are set aside, by size.

They are not charged to a memory cgroup. The kernel keeps fewer where memory is
fragmented; the value read back then fails the cell.
Source: Documentation/admin-guide/mm/hugetlbpage.rst.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictInt

from runner.kinds.resources.interface import (
    UNSET,
    Cell,
    Facts,
    Json,
    Planned,
    Refused,
    Root,
    Skipped,
    Values,
)
from runner.records.quantities import BYTES, parse_as

_SIZES = "/sys/kernel/mm/hugepages"


def _size(value: Any) -> str:
    amount = parse_as(BYTES, value).bytes
    if amount < 4096 or amount & (amount - 1):
        raise ValueError(f"`{value}` is not a size of a huge page, such as 2MiB")
    return f"{amount // 1024}KiB"  # what is dumped is read again, where there are factors


Size = Annotated[str, BeforeValidator(_size)]
Count = Annotated[StrictInt, Field(ge=0)]


class HugepagesModel(Root[Count | dict[Size, Count]]):
    """`hugepages: 64` of the default size, or `{2MiB: 64}`."""


class Hugepages:
    """Huge pages set aside."""

    name = "hugepages"
    doc = "huge pages set aside: `64` of the default size, or `{2MiB: 64, 1GiB: 0}`"
    absent = "skipped where the kernel has none, refused for a size it lacks"
    fixed = ""
    sets: tuple[str, ...] = ("sysctl.vm.nr_hugepages",)
    needs_root = True
    Model = HugepagesModel

    def _cells(self, payload: HugepagesModel) -> list[Cell]:
        default = "/proc/sys/vm/nr_hugepages"
        counts = payload.root
        paths = (
            {default: counts}
            if isinstance(counts, int)
            else {
                f"{_SIZES}/hugepages-{size.removesuffix('KiB')}kB/nr_hugepages": count
                for size, count in counts.items()
            }
        )
        return [
            Cell(
                id=f"hugepages:{path.split('/')[-2].removeprefix('hugepages-')}"
                if path != default
                else "hugepages:default",
                via="pseudo",
                path=path,
                want=str(count),
                form="integer",
            )
            for path, count in paths.items()
        ]

    def candidates(self, payload: HugepagesModel) -> list[Json]:
        """Read what is declared."""
        return [cell.asking().to_json() for cell in self._cells(payload)]

    def plan(self, payload: HugepagesModel, facts: Facts, values: Values) -> Planned:  # noqa: ARG002 - kernel files only
        """One cell a size."""
        cells = self._cells(payload)
        gone = [cell for cell in cells if values.get(cell.id, UNSET) is None]
        if cells and len(gone) == len(cells):
            return Skipped("the kernel has no huge pages of this size")
        if gone:
            sizes = ", ".join(cell.id.removeprefix("hugepages:") for cell in gone)
            return Refused(f"the kernel has no huge pages of {sizes}", "leave that size out")
        return cells


KIND = Hugepages()
