"""Many factors of two levels in few treatments: which of them matter. Pure.

A Hadamard matrix of order N has N - 1 columns of as many + as -, any two of which meet in all four
pairs equally often: main effects of N - 1 factors from N treatments, each from all of them
(Plackett and Burman 1946, Biometrika 33, 305-325). With the mirror of every row, 2N treatments, no
main effect is confounded with an interaction of two factors (Box and Wilson 1951, JRSS B 13, 1-45),
and both extremes are among them: all at the first level, all at the second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runner.errors import SpecError
from runner.planning.layers import KERNEL
from runner.spec.design import Factor, Repeat
from runner.spec.sections.replication import Replication
from runner.spec.sections.report import Report
from runner.spec.treatments import RUNTIME, treatments, with_levels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.spec.experiment import Experiment

A: Final = "a"
B: Final = "b"
MOST: Final = 47
"""Factors of one design: 96 treatments."""
PRIMES: Final = (3, 7, 11, 19, 23, 31, 43, 47)
"""q = 3 mod 4: Paley's matrices of order q + 1."""
SUFFIX: Final = "-why"
LONGEST_NAME: Final = 100


def hadamard(order: int) -> tuple[tuple[int, ...], ...] | None:
    """Give a matrix of +1 and -1 with a first row and column of +1; None where none is known here.

    Paley 1933, Journal of Mathematics and Physics 12, 311-320; doubled as Sylvester 1867 did.
    """
    if order == 1:
        return ((1,),)
    if order - 1 in PRIMES:
        return _paley(order - 1)
    half = hadamard(order // 2) if order % 2 == 0 else None
    return None if half is None else tuple(
        (*row, *(sign * value for value in row)) for sign in (1, -1) for row in half
    )  # fmt: skip


def _paley(q: int) -> tuple[tuple[int, ...], ...]:
    squares = {x * x % q for x in range(1, q)}
    below = [[1 if i == j or (j - i) % q in squares else -1 for j in range(q)] for i in range(q)]
    # of I + S the other rows begin with -1: each is turned, which keeps rows orthogonal
    return ((1,) * (q + 1), *((1, *(-value for value in row)) for row in below))


def design(factors: int) -> tuple[tuple[int, ...], ...]:
    """Give the treatments, each a sign for every factor: a Hadamard matrix and its mirror.

    SpecError where there are more than MOST factors.
    """
    if not 1 <= factors <= MOST:
        raise SpecError(
            f"{factors} differences are more than {MOST}, which are varied at once",
            fix="choose some with --only",
        )
    matrix = next(
        square for order in range(factors + 1, 2 * MOST) if (square := hadamard(order)) is not None
    )
    rows = [row[1 : factors + 1] for row in matrix]
    return tuple(dict.fromkeys([*rows, *(tuple(-value for value in row) for row in rows)]))


def screening(
    experiment: Experiment,
    differences: Mapping[str, tuple[Mapping[str, object], Mapping[str, object]]],
    where: Mapping[str, str],
    blocks: int,
) -> Experiment:
    """Give the experiment with a factor for each difference: `a` and `b` lay over its sections.

    Its own factors stay, but for those that `where` has chosen a level of. Claims are left out:
    what is asked is what moves a metric. Where the kernel command line is among the differences,
    the host is booted in each block with either.
    """
    own = {name: factor for name, factor in experiment.factors.items() if name not in where}
    base = with_levels(experiment, where)
    cells = [
        {name: cell[name] for name in own}
        for cell in treatments(experiment)
        if all(cell[name] == level for name, level in where.items())
    ]
    varied = {
        name: Factor(levels={A: dict(first), B: dict(second)})
        for name, (first, second) in differences.items()
    }
    rows = [
        dict(zip(varied, (A if sign < 0 else B for sign in row), strict=True))
        for row in design(len(varied))
    ]
    repeat = experiment.repeat
    return base.model_copy(
        update={
            "name": f"{experiment.name[: LONGEST_NAME - len(SUFFIX)]}{SUFFIX}",
            "title": f"What explains a difference: {experiment.title or experiment.name}",
            "factors": {**own, **varied},
            "baseline": {
                **{k: v for k, v in experiment.baseline.items() if k in own},
                **dict.fromkeys(varied, B),
            },
            "skip": (),
            "treatments": tuple({**cell, **row} for cell in cells for row in rows),
            "repeat": Repeat(
                unit=repeat.unit, between=(blocks, blocks), order=repeat.order,
                cooldown=repeat.cooldown, attempts=repeat.attempts,
                levels=Replication(boot="block") if _takes_boots(differences) else None,
            ),
            "claims": (),
            "report": Report(),
        }
    )  # fmt: skip


def _takes_boots(
    differences: Mapping[str, tuple[Mapping[str, object], Mapping[str, object]]],
) -> bool:
    systems = [side.get("system") for sides in differences.values() for side in sides]
    return any(isinstance(system, dict) and KERNEL in system for system in systems)


def factor_names(names: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Name a factor for each difference, by its last words: `vm.swappiness` is vm_swappiness."""
    by_difference: dict[str, str] = {}
    used = {*taken, *RUNTIME}
    for name in names:
        short = re.sub(r"\W+", "_", name.removeprefix("sysctl.")).strip("_") or "difference"
        factor = short if not short[0].isdigit() else f"_{short}"
        number = 2
        while factor in used:
            factor, number = f"{short}_{number}", number + 1
        used.add(factor)
        by_difference[name] = factor
    return by_difference
