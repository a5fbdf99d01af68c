"""Two runs, or two treatments of a run, metric by metric: what differs, and by how much.

b is compared with a: a ratio above 1 means that b is the larger. Within one run
values are paired by the key of their block; between runs they are not.

- `equivalent`: the 90 % interval of the ratio lies within the practical
  threshold (TOST at 5 %);
- `better`, `worse` (`changed` where the metric says neither is better): p <= 0.05
  among all metrics of the comparison, so that of all together one is found to
  differ by chance in at most 5 % of comparisons;
- `undecided`: neither, with about how many repetitions would decide.

p is of exact permutation tests over blocks or repetitions with one error rate for all metrics
(`runner.analysis.stats.permutation`). Ratios are medians of the paired ratios, or Hodges-Lehmann
shifts of logarithms of unpaired values: neither is the ratio of the medians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.analysis.middle import middle
from runner.analysis.runs import bounds
from runner.analysis.runs.compared import (
    ALPHA,
    ORDER,
    THRESHOLD,
    Common,
    Comparison,
    Row,
    direction,
)
from runner.analysis.runs.environment_diff import environment
from runner.analysis.runs.sessions import worth
from runner.analysis.runs.sides import empty, exact, keyed, of_pairs, of_values
from runner.analysis.stats.intervals import Interval
from runner.analysis.stats.permutation import (
    fewest,
    labels_max_t,
    paired_max_t,
    smallest_p,
    would_do,
)
from runner.analysis.stats.significance import equivalent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.analysis.claims.rows import Key as Block
    from runner.analysis.model import Estimate
    from runner.analysis.runs.side import Side
    from runner.analysis.stats.permutation import Tested


def compare(a: Side, b: Side, threshold: float = THRESHOLD) -> Comparison:
    """Compare every metric that both sides have, regressions first."""
    left, right = _cells(a), _cells(b)
    drafts = [_draft(a, b, left[key], right[key], dict(key[1]), threshold)
              for key in left if key in right]  # fmt: skip
    rows = _decided(drafts, threshold)
    rows.sort(key=lambda row: ORDER.index(row.outcome))
    missing = [_label(key) for key in {**left, **right} if not (key in left and key in right)]
    return Comparison(
        a.name, b.name, threshold, environment(a, b), tuple(rows), tuple(dict.fromkeys(missing)),
        _notes(a, b, rows),
    )  # fmt: skip


def _notes(a: Side, b: Side, rows: Sequence[Row]) -> tuple[str, ...]:
    notes = list(_sessions(a, b, rows))
    blind = {
        (row.test, row.n): fewest(ALPHA, paired=row.test == PAIRED)
        for row in rows
        if row.p is not None and smallest_p(*row.n, paired=row.test == PAIRED) > ALPHA
    }
    for (test, n), least in blind.items():
        what = f"{n[0]} pairs" if test == PAIRED else f"{n[0]} and {n[1]} repetitions"
        each = "pairs" if test == PAIRED else "of each"
        notes.append(f"{what} can find no difference, however large: at least {least} {each} can")
    return tuple(notes)


def _sessions(a: Side, b: Side, rows: Sequence[Row]) -> Iterator[str]:
    """Say what a session is worth where two are compared, or that it is unknown."""
    if a.run == b.run:
        return
    if a.program and a.program == b.program:
        known = worth([[a.analysis, b.analysis, *a.family]])
    else:
        known = worth([[a.analysis, *a.family], [b.analysis, *b.family]])
    silent = []
    for row in rows:
        session = known.get((row.metric, *_place(row, b)))
        if session is None:
            silent.append(row.metric)
            continue
        note = (
            f"{row.metric}: two sessions of one program differ by up to {session.apart:.1%} (in 19 "
            f"of 20 pairs, by {session.sessions} sessions)"
        )
        if row.ratio is not None and abs(math.log(row.ratio)) <= math.log1p(session.apart):
            note += f", and these two by {abs(row.ratio - 1):.1%}: no more than sessions do"
        yield note
    if silent:
        yield (
            "two runs are two sessions: what another session of the same program is worth (boot, "
            f"layout, the host's state) is unknown for {', '.join(dict.fromkeys(silent))} and in "
            "no interval here: three runs of one spec and program say it, and treatments of one "
            "run are compared within its blocks"
        )


def _place(row: Row, side: Side) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """Give treatment and step of a row on a side."""
    levels = {name: level for name, level in row.where.items() if name != "step"}
    treatment = tuple(sorted({**levels, **side.where}.items()))
    return treatment, row.where.get("step")


@dataclass(frozen=True)
class _Draft:
    """A row before its test, and what is tested: logarithms, or values without a ratio."""

    row: Row
    pairs: Mapping[Block, float] | None = None
    """b - a by block."""
    sides: tuple[Mapping[Block, float], Mapping[Block, float]] | None = None


PAIRED: Final = "signs over blocks, max-T"
UNPAIRED: Final = "labels over repetitions, max-T"


def _decided(drafts: Sequence[_Draft], threshold: float) -> list[Row]:
    """Test all metrics together, and name what differs."""
    rows = {at: draft.row for at, draft in enumerate(drafts)}
    by_pairs = [at for at, draft in enumerate(drafts) if draft.pairs is not None]
    by_sides = [at for at, draft in enumerate(drafts) if draft.sides is not None]
    families = bool(by_pairs) + bool(by_sides)
    tests = len(by_pairs) + len(by_sides)
    for which, test in ((by_pairs, PAIRED), (by_sides, UNPAIRED)):
        if not which:
            continue
        tests_of = _tested([drafts[at] for at in which])
        for column, at in enumerate(which):
            # two kinds of tests share the error rate by halves
            row = replace(
                rows[at], p=tests_of.p[column], test=test,
                p_adjusted=min(1.0, families * tests_of.adjusted[column]),
            )  # fmt: skip
            rows[at] = _named(row, tests_of.t[column], tests, threshold, up=tests_of.up[column])
    return [*rows.values()]


def _tested(drafts: Sequence[_Draft]) -> Tested:
    if drafts[0].pairs is not None:
        columns = [draft.pairs or {} for draft in drafts]
        return paired_max_t(_rows(columns))
    both = [draft.sides or ({}, {}) for draft in drafts]
    return labels_max_t(_rows([one for one, _ in both]), _rows([other for _, other in both]))


def _rows(columns: Sequence[Mapping[Block, float]]) -> list[list[float | None]]:
    """Give a row for each block that any of the columns has."""
    keys = dict.fromkeys(key for column in columns for key in column)
    return [[column.get(key) for column in columns] for key in keys]


def _named(row: Row, t: float, tests: int, threshold: float, *, up: bool) -> Row:
    """Name the outcome by interval and p; of what is undecided say how many would decide."""
    interval = None
    if row.ratio is not None and row.ratio_interval is not None:
        interval = Interval(row.ratio, *row.ratio_interval, 0.9, min(row.n), "")
    if equivalent(interval, 1 / (1 + threshold), 1 + threshold) or row.outcome == "equivalent":
        return replace(row, outcome="equivalent")
    assert row.p is not None  # noqa: S101 - it was tested
    assert row.p_adjusted is not None  # noqa: S101 - it was tested
    if row.p_adjusted <= ALPHA:
        return replace(row, outcome=direction(row.better, up=up), why=_medians(row, up=up))
    is_paired = row.test == PAIRED
    needed = would_do(t, *row.n, ALPHA / max(1, tests), paired=is_paired) if t else None
    reasons = [row.why]
    if row.p <= ALPHA:
        reasons.append(f"p = {row.p:.2g} by itself, {row.p_adjusted:.2g} among {tests} tests")
    if needed is not None and needed > min(row.n):
        each = "pairs" if is_paired else "repetitions of each"
        reasons.append(f"about {needed} {each} would find a difference of this size")
    return replace(row, outcome="undecided", needed=needed, why="; ".join(filter(None, reasons)))


def _medians(row: Row, *, up: bool) -> str:
    """Say so where the two medians stand the other way round than what was found."""
    one, other = row.median
    if one is None or other is None or one == other or (other > one) == up:
        return row.why
    note = f"the medians stand the other way round: this is of the {row.ratio_of or 'values'}"
    return f"{row.why}; {note}" if row.why else note


Key = tuple[str, tuple[tuple[str, str], ...]]
"""Metric and cell."""


def _cells(side: Side) -> dict[Key, Estimate]:
    """Estimates of a side by metric and what is left of their cell."""
    cells: dict[Key, Estimate] = {}
    for item in side.analysis.estimates:
        if any(item.treatment.get(factor) != level for factor, level in side.where.items()):
            continue
        rest = {k: v for k, v in item.treatment.items() if k not in side.where}
        if item.step is not None:
            rest["step"] = item.step
        cells[item.metric, tuple(rest.items())] = item
    return cells


def _label(key: Key) -> str:
    where = ", ".join(f"{name}={level}" for name, level in key[1])
    return f"{key[0]} ({where})" if where else key[0]


def _draft(
    a: Side, b: Side, left: Estimate, right: Estimate, where: dict[str, str], threshold: float
) -> _Draft:
    metric = b.experiment.metrics.get(right.metric) or a.experiment.metrics.get(left.metric)
    x = [value for value in left.values if value is not None]
    y = [value for value in right.values if value is not None]
    common: Common = {
        "metric": right.metric,
        "unit": right.unit or left.unit,
        "where": where,
        "n": (len(x), len(y)),
        "median": (left.median, right.median),
        "interval": (left.interval, right.interval),
        "better": metric.better if metric is not None else None,
        "shown": (middle(left), middle(right)),
    }
    if left.texts and right.texts:
        same = set(left.texts) == set(right.texts)
        reason = f"a text, {'the same' if same else 'another'} on both sides"
        return _Draft(empty(common, reason))
    if not (x or bounds.any_of(left)) or not (y or bounds.any_of(right)):
        cause = left.why if not x else right.why
        why = f"no value on one side ({cause})" if cause else "no value on one side"
        return _Draft(empty(common, why))
    if bounds.any_of(left, right):
        return _bounded(common, a, b, left, right)
    if left.exact and right.exact:
        return _Draft(exact(common, x[0], y[0], threshold))
    one, other = keyed(a.analysis, left), keyed(b.analysis, right)
    plain = min(*x, *y) > 0
    measured = math.log if plain else float
    why = "" if plain else "no ratio with a number that is not above 0"
    blocks = [key for key in one if key in other]
    within = bool(a.run) and a.run == b.run and left.treatment != right.treatment
    # too few pairs decide nothing; all the values may
    if within and len(blocks) >= fewest(ALPHA, paired=True):
        common["n"] = (len(blocks), len(blocks))
        return _Draft(
            of_pairs(common, [(one[key], other[key]) for key in blocks], why),
            pairs={key: measured(other[key]) - measured(one[key]) for key in blocks},
        )
    return _Draft(
        of_values(common, x, y, why),
        sides=(
            {key: measured(value) for key, value in one.items()},
            {key: measured(value) for key, value in other.items()},
        ),
    )


def _bounded(common: Common, a: Side, b: Side, left: Estimate, right: Estimate) -> _Draft:
    """Compare sides of which some values are bounds: by rank, and with a ratio that says so."""
    why = "; ".join(
        f"{name}: {cause}" for name, cause in (("a", left.why), ("b", right.why)) if cause
    )
    if bounds.unknown(left, right):
        return _Draft(empty(common, f"values that could be anything ({why}): say `better`"))
    one, other = bounds.ranked(left, right)
    blocks = [key for key in one if key in other]
    within = bool(a.run) and a.run == b.run and left.treatment != right.treatment
    is_paired = within and len(blocks) >= fewest(ALPHA, paired=True)
    common["n"] = (len(blocks), len(blocks)) if is_paired else (len(one), len(other))
    plain = min(*one.values(), *other.values()) > 0
    measured = math.log if plain else float
    low, high = bounds.ratio(left, right, blocks if is_paired else None)
    row = empty(common, "; ".join(filter(None, (bounds.open_ended((low, high)), why))))
    row = replace(row, outcome="undecided")
    if low > 0 and math.isfinite(high):
        row = replace(row, ratio_interval=(low, high), ratio=math.sqrt(low * high))
    if is_paired:
        return _Draft(row, pairs={key: measured(other[key]) - measured(one[key]) for key in blocks})
    return _Draft(
        row,
        sides=(
            {key: measured(value) for key, value in one.items()},
            {key: measured(value) for key, value in other.items()},
        ),
    )
