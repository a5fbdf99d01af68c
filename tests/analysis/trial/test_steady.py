"""Steady or not: on simulated samples, and on recorded ones with one thing changed."""

from __future__ import annotations

import numpy as np
import pytest

from runner.analysis.trial import steady
from runner.analysis.trial.frames import Frame
from runner.kinds.sources.interface import Field
from runner.records.trial_events import RequestLog
from runner.report.sections import steps as tables
from tests.analysis.trial.recording import judged, recorded

FIELDS = {"procfs.rss": Field("rss", "B", "resident memory")}
HZ = 10


def seen(values) -> tuple[str, ...] | None:
    t = np.arange(len(values)) / HZ
    return steady.judge(Frame(t, {"rss": np.asarray(values, float)}), (0.0, len(t) / HZ), FIELDS)


def noise(rng, n: int, memory: float, spread: float):
    """Autocorrelated as a heap is: what it was a tenth of a second ago says most of it."""
    found = np.empty(n)
    last = 0.0
    for at, step in enumerate(rng.normal(0, spread * np.sqrt(1 - memory**2), n)):
        last = found[at] = memory * last + step
    return found


@pytest.mark.parametrize(("memory", "most"), [(0.0, 0.0), (0.9, 0.02)])
def test_noise_is_steady(memory, most):
    """20 % of noise around a level: at most so many marks by chance."""
    rng = np.random.default_rng(1)
    marked = [bool(seen(100 + noise(rng, 300, memory, 20))) for _ in range(500)]
    assert sum(marked) <= most * len(marked)


@pytest.mark.parametrize("per_second", [0.01, -0.01, 0.03])
def test_a_trend_is_marked_with_its_slope(per_second):
    rng = np.random.default_rng(2)
    t = np.arange(300) / HZ
    level = 100 * (1 + per_second * t)
    (text,) = seen(level + noise(rng, 300, 0.5, 2))
    name, way, share, *_ = text.split()
    assert (name, way) == ("procfs.rss", "rises" if per_second > 0 else "falls")
    expected = abs(per_second) * 100 / level.mean()
    assert float(share.rstrip("%")) / 100 == pytest.approx(expected, rel=0.15)


def test_a_trend_too_small_to_matter_is_no_mark():
    """3 % over the step, as plain as it may be."""
    assert seen(np.linspace(100, 103, 300)) == ()
    assert seen(np.linspace(100, 112, 300)) != ()


def test_a_ramp_at_the_start_is_no_trend():
    """Memory that grows while connections open, and stays: the first tenth alone differs."""
    assert seen([50] * 20 + [100] * 280) == ()


def test_sawtooth_of_a_collector_is_steady():
    assert seen([100 + 40 * (at % 23) / 23 for at in range(300)]) == ()


def test_too_few_samples_are_not_judged():
    assert seen(np.linspace(1, 2, 19)) is None
    assert seen([np.nan] * 300) is None
    gap = np.linspace(1, 2, 300)
    gap[90:120] = np.nan
    assert seen(gap) is None


def test_throughput_by_the_second():
    """Of a log of single requests; its first and last second are cut and left out."""
    still = Frame(np.empty(0), {})
    falling = [3, *range(1000, 500, -25), 2]
    (text,) = steady.judge(still, (0, 22), {}, steady.per_second(RequestLog(per_s=falling)))
    assert text.startswith("load.rps falls 3.")
    assert steady.judge(still, (0, 22), {}, [1000] * 20) == ()
    assert steady.judge(still, (0, 22), {}, [1000] * 19) is None
    assert steady.per_second(None) is None
    assert steady.per_second(RequestLog(why="no file")) is None


def lasting(change):
    """A recorded trial, its one step stretched to ten times as long; RSS changed by a share."""
    events = recorded("healthy")
    place = next(e["names"] for e in events if e["event"] == "columns").index("procfs.status.VmRSS")
    begin = next(e["t"] for e in events if e["event"] == "measure_started")
    end = next(e["t"] for e in events if e["event"] == "step_ended")
    rows = [e for e in events if e["event"] == "sample"]
    last = events.index(rows[-1])
    inside = [row for row in rows if begin <= row["t"] <= end]
    more = []
    for at in range(100):
        share = at / 100
        row = dict(inside[at % len(inside)])
        # both clocks move on together
        row |= {"t": begin + share * (end - begin), "at": row["at"] - row["t"] + begin}
        row["at"] += share * (end - begin)
        value = row["v"][place] * change(share)
        more.append({**row, "v": [*row["v"][:place], value, *row["v"][place + 1 :]]})
    kept = [e for e in events if e not in rows]
    at = min(last, next(i for i, e in enumerate(kept) if e["event"] == "step_ended"))
    return [*kept[:at], *more, *kept[at:]]


def test_recorded_step_is_marked_and_not_trimmed():
    """The outcome and every number are as without the mark; the report says it."""
    plain = judged(lasting(lambda share: 1.0))
    assert plain.steps[0].steady == ()
    found = judged(lasting(lambda share: 1 + share))
    assert found.outcome == plain.outcome == "healthy"
    (text,) = found.steps[0].steady
    assert text.startswith("procfs.rss rises")
    assert found.steps[0].numbers["procfs.rss"] > 1.9 * plain.steps[0].numbers["procfs.rss.min"]
    assert str(tables.row(found.steps[0])[-1]).endswith("not steady")
    assert str(tables.row(plain.steps[0])[-1]).endswith("healthy")
    (line,) = tables.unsteady([found])
    assert "per second in all-r1-a1" in line
    assert tables.unsteady([plain]) == []
