"""Columns from sample events, and counters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.trial.frames import CHUNK, increase, thin
from runner.analysis.trial.steps import summarise
from runner.kinds.sources.cgroup import KIND
from tests.events import reading as read


def sample(t, *values):
    return {"event": "sample", "t": t, "v": list(values)}


def test_columns_and_other_events_are_parted():
    """Samples become arrays, the rest stays in order."""
    reading = read(
        [
            {"event": "trial_started"},
            {"event": "columns", "names": ["a", "b"]},
            sample(0.0, 1, None),
            sample(0.1, 2, 5),
            {"event": "end"},
        ]
    )
    assert [e.kind for e in reading.events] == ["trial_started", "end"]
    assert reading.frame.t.tolist() == [0.0, 0.1]
    assert reading.frame.values("a").tolist() == [1, 2]
    assert reading.frame.values("b").tolist() == [5]
    assert reading.frame.values("none").size == 0


def test_columns_may_change():
    """A restarted workload brings new columns; the old ones are NaN from there."""
    reading = read(
        [
            {"event": "columns", "names": ["a"]},
            sample(0, 1),
            {"event": "columns", "names": ["b", "a"]},
            sample(1, 7, 2),
        ]
    )
    assert reading.frame.columns["a"].tolist() == [1, 2]
    assert np.isnan(reading.frame.columns["b"][0])


def test_row_of_another_length_is_left_out():
    """A torn row is not guessed at."""
    reading = read([{"event": "columns", "names": ["a"]}, sample(0, 1, 2), sample(1, 3)])
    assert reading.frame.t.tolist() == [1.0]


def test_many_rows_pack_in_chunks():
    """More rows than a chunk are all there."""
    events = [{"event": "columns", "names": ["a"]}]
    events += [sample(i / 10, i) for i in range(CHUNK * 2 + 3)]
    frame = read(events).frame
    assert len(frame.t) == CHUNK * 2 + 3
    assert frame.values("a").sum() == sum(range(CHUNK * 2 + 3))
    inside = frame.window(1.0, 2.0)
    assert inside.t[0] == 1.0
    assert inside.t[-1] == 2.0


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=30))
def test_increase_of_a_counter_without_resets(steps):
    """Rises add up to the last value minus the first."""
    values = np.cumsum(np.array(steps, dtype=float))
    assert increase(values) == values[-1] - values[0]


def test_increase_over_a_restart():
    """A fall means that the counter began again at zero."""
    assert increase(np.array([10.0, 15.0, 3.0, 4.0])) == 5 + 3 + 1
    assert increase(np.array([4.0])) is None


def test_a_counter_that_goes_back_a_little_is_not_begun_again():
    """/proc/stat's iowait goes back by a tick or two now and then: proc(5)."""
    assert increase(np.array([8000.0, 7998.0, 8001.0])) == 3


def test_thin_keeps_peaks():
    """The one high sample of a thousand is in the thinned line."""
    t = np.arange(1000.0)
    v = np.ones(1000)
    v[457] = 99
    points = list(thin(t, v, 50))
    assert len(points) == 50
    assert max(p for _, p in points) == 99


@pytest.mark.parametrize("said", [9223372036854771712, None])
def test_group_without_a_limit_has_none(said):
    """v1 says the highest page below 2^63, v2 `max`: neither is 8 EiB."""
    names = ["cgroup.usage", "cgroup.limit"]
    rows = [{"event": "columns", "names": names}, sample(0, 3 << 20, said), sample(1, 4, said)]
    frame = read(rows).frame
    numbers, why = {}, {}
    fields = {"cgroup.limit": KIND.fields({})["limit"]}
    summarise(frame, fields, {}, numbers, why)
    assert numbers == {"cgroup.limit": None}
    assert "no limit" in why["cgroup.limit"]


def test_columns_that_are_named_twice_are_nobodys() -> None:
    """A hostile host: it costs its rows, and not the record."""
    from runner.analysis.trial.frames import read as frames_of
    from runner.records.trial_events import Columns, Sample

    good = [Columns(names=("a", "b")), Sample(t=1.0, v=[1, 2])]
    found = frames_of([*good, Columns(names=("a", "a")), Sample(t=2.0, v=[3, 4]), *good])
    assert list(found.frame.values("a")) == [1, 1]
