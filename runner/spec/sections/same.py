"""A metric that is to be the same whichever level of a factor ran: two tools, one answer."""

from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field

from runner.spec.base import Model, Text
from runner.spec.expressions import Binary, Expression, Ref


class Same(Model):
    """What is the same, and across which factor; all other factors and the repetition are equal."""

    metric: Text = Field(description="By its name under `metrics`: a text, or a number")
    across: Text = Field(description="Factor whose levels are compared with one another")

    def __str__(self) -> str:
        return f"{self.metric} is the same across {self.across}"

    def groups(
        self, cells: Sequence[dict[str, str]], where: dict[str, str]
    ) -> tuple[tuple[Ref, ...], ...]:
        """Give what has to be the same: a reference for each level, all else of a cell equal."""
        found: dict[tuple[tuple[str, str], ...], list[Ref]] = {}
        for cell in cells:
            if any(cell.get(name, level) != level for name, level in where.items()):
                continue
            rest = tuple(one for one in cell.items() if one[0] != self.across)
            # a step is no factor of a cell, and stays as it is named
            found.setdefault(rest, []).append(Ref(self.metric, tuple(cell.items())))
        return tuple(tuple(refs) for refs in found.values() if len(refs) > 1)

    def statement(self, cells: Sequence[dict[str, str]], where: dict[str, str]) -> Expression:
        """Say it as a statement; one that nothing decides where no two cells are to be compared."""
        pairs: list[Expression] = [
            Binary("==", one, other)
            for refs in self.groups(cells, where)
            for one, other in pairwise(refs)
        ]
        return _all(pairs) if pairs else Binary("==", Ref(self.metric), Ref(self.metric))


def _all(parts: Sequence[Expression]) -> Expression:
    """Join with `and`, no deeper than it has to be."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return Binary("and", _all(parts[:half]), _all(parts[half:]))
