"""A metric over the runs of an experiment: its estimates in time, and where they changed.

A change point is proposed by least squares on ranks (ruptures, binary segmentation:
Truong, Oudre, Vayatis 2020, doi:10.1016/j.sigpro.2019.107299) and kept only where a
permutation test of the order says that so large a split comes by chance in at most 5 %
of the orders; so a series without a change shows one in at most 5 % of all series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.data import query
from runner.errors import RunnerError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

ALPHA: Final = 0.05
ORDERS: Final = 1999
"""Orders that the permutation test draws; its p is at least 1 / 2000."""
SHORTEST: Final = 2
"""Runs on either side of a change."""
SEED: Final = 20261127
FACTS: Final = (
    "kernel.release", "os.pretty_name", "board.model", "cpu.model", "cpu.count", "python.version",
    "cpu.governor", "memory.total_bytes", "cgroup.version",
)  # fmt: skip
"""Facts whose change between two runs is marked on the axis."""


@dataclass(frozen=True)
class Point:
    """One run of a series."""

    run: str
    started_at: str
    commit: str
    estimate: float
    """In base units."""
    low: float | None
    high: float | None
    n: int
    changed: tuple[str, ...] = ()
    """What is not as in the run before: `kernel.release: 6.1 → 6.6`, `spec`, `runner`."""


@dataclass(frozen=True)
class Change:
    """The first run of a new level."""

    at: int
    """Index of that run's point."""
    p: float
    """Share of orders with a split at least as large."""
    before: float
    after: float
    """Medians of the points on either side, up to the neighbouring changes; base units."""

    @property
    def ratio(self) -> float | None:
        """`after` by `before`; None where that is 0."""
        return self.after / self.before if self.before else None


@dataclass(frozen=True)
class Series:
    """A metric of one treatment and step on one kind of host, oldest run first."""

    experiment: str
    metric: str
    unit: str
    host: str
    treatment: tuple[tuple[str, str], ...]
    step: str | None
    points: tuple[Point, ...]
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """What tells it from the others: `rss [gogc=50, step 100] on pi4`."""
        where = [f"{factor}={level}" for factor, level in self.treatment]
        where += [f"step {self.step}"] if self.step is not None else []
        suffix = f" [{', '.join(where)}]" if where else ""
        return f"{self.metric}{suffix} on {self.host}"


def change_points(values: Sequence[float]) -> list[tuple[int, float]]:
    """Give the index of the first value of each new level, with its p, in order.

    Needs four values or more on the whole; a constant series has none.
    """
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(SEED)
    points: list[tuple[int, float]] = []

    def split(start: int, end: int) -> None:
        if end - start < 2 * SHORTEST:
            return
        at, p = _split(data[start:end], rng)
        if p <= ALPHA:
            points.append((start + at, p))
            split(start, start + at)
            split(start + at, end)

    split(0, len(data))
    return sorted(points)


def _split(data: npt.NDArray[np.float64], rng: np.random.Generator) -> tuple[int, float]:
    """Give the best split of a segment, and how often an order by chance has so good a one."""
    import numpy as np
    from scipy.stats import rankdata

    try:
        import ruptures
    except ImportError:
        raise RunnerError(
            "change points need the package ruptures, which is not installed",
            fix="pip install ruptures",
        ) from None
    ranks = rankdata(data)
    if np.ptp(ranks) == 0:
        return 0, 1.0
    model = ruptures.Binseg(model="l2", min_size=SHORTEST, jump=1).fit(ranks[:, None])
    at = int(model.predict(n_bkps=1)[0])
    orders = rng.permuted(np.tile(ranks, (ORDERS, 1)), axis=1)
    seen = _gain(ranks[None, :])[0]
    # a rounding error apart is equal
    p = (1 + int(np.sum(_gain(orders) >= seen - 1e-9))) / (1 + ORDERS)
    return at, p


def _gain(orders: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give for each row what its best split takes off the sum of squares."""
    import numpy as np

    n = orders.shape[1]
    left = np.arange(SHORTEST, n - SHORTEST + 1)
    sums = np.cumsum(orders - orders.mean(axis=1, keepdims=True), axis=1)[:, left - 1]
    best: npt.NDArray[np.float64] = (sums**2 * n / (left * (n - left))).max(axis=1)
    return best


def histories(
    experiment: str, roots: Sequence[Path], cache: Path, *, metric: str | None = None
) -> tuple[Series, ...]:
    """Give every series of an experiment; SpecError where there is no run or no such metric."""
    result = query.query(
        "SELECT e.metric, e.shown_in, e.treatment, e.step, e.run, e.estimate, e.low, e.high, e.n, "
        "r.started_at, r.commit, coalesce(r.board, r.host) || ' (' || r.arch || ')' AS host, "
        "r.spec_hash, r.runner FROM estimates e JOIN runs r USING (run) "
        "WHERE e.experiment = ? AND r.state = 'done' "
        "AND e.estimate IS NOT NULL ORDER BY r.started_at, e.run",
        roots,
        cache,
        [experiment],
    )
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    if not rows:
        raise SpecError(
            f"no finished run of {experiment} with a measured metric under "
            f"{', '.join(map(str, roots))}",
            fix="runner query 'select distinct experiment from runs'",
        )
    known = sorted({str(row["metric"]) for row in rows})
    if metric is not None and metric not in known:
        raise SpecError(
            f"no metric {metric!r} in the runs of {experiment}", fix=f"one of {', '.join(known)}"
        )
    facts = _facts(experiment, roots, cache)
    keyed: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for row in rows:
        if metric is None or row["metric"] == metric:
            treatment = row["treatment"] if isinstance(row["treatment"], dict) else {}
            key = (row["metric"], row["shown_in"], row["host"],
                   tuple(sorted(treatment.items())), row["step"])  # fmt: skip
            keyed.setdefault(key, []).append(row)
    return tuple(_series(experiment, key, points, facts) for key, points in keyed.items())


def _facts(experiment: str, roots: Sequence[Path], cache: Path) -> dict[str, dict[str, str]]:
    result = query.query(
        "SELECT run, fact, value FROM facts WHERE experiment = ? AND fact IN (SELECT unnest(?))",
        roots,
        cache,
        [experiment, list(FACTS)],
    )
    facts: dict[str, dict[str, str]] = {}
    for run, fact, value in result.rows:
        facts.setdefault(str(run), {})[str(fact)] = str(value)
    return facts


def _series(
    experiment: str,
    key: tuple[object, ...],
    rows: Iterable[dict[str, object]],
    facts: dict[str, dict[str, str]],
) -> Series:
    from statistics import median

    points: list[Point] = []
    before: dict[str, str] | None = None
    for row in rows:
        now = {**facts.get(str(row["run"]), {}), "spec": str(row["spec_hash"])[:8],
               "runner": str(row["runner"])}  # fmt: skip
        changed = tuple(
            f"{name}: {before.get(name, 'absent')} → {now.get(name, 'absent')}"
            for name in {**before, **now}
            if before.get(name) != now.get(name)
        ) if before is not None else ()  # fmt: skip
        before = now
        points.append(
            Point(str(row["run"]), str(row["started_at"]), str(row["commit"] or ""),
                  _number(row["estimate"]) or 0.0, _number(row["low"]), _number(row["high"]),
                  int(str(row["n"])), changed)
        )  # fmt: skip
    values = [point.estimate for point in points]
    breaks = change_points(values)
    edges = [0, *(at for at, _ in breaks), len(values)]
    changes = tuple(
        Change(at, p, median(values[edges[i] : at]), median(values[at : edges[i + 2]]))
        for i, (at, p) in enumerate(breaks)
    )
    metric, unit, host, treatment, step = key
    levels = tuple((str(a), str(b)) for a, b in treatment) if isinstance(treatment, tuple) else ()
    return Series(experiment, str(metric), str(unit or ""), str(host), levels,
                  None if step is None else str(step), tuple(points), changes)  # fmt: skip


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
