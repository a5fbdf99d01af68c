"""Why a source gives no number in a step: absent there, not sampled by that run, or too short."""

from __future__ import annotations

import numpy as np
import pytest

from runner.analysis.trial.frames import Frame
from runner.analysis.trial.steps import exact_counters, summarise
from runner.kinds.sources.interface import Field
from runner.records.trial_events import StepEnded

FIELD = {"procfs.shared": Field("procfs.statm.2", "B", "", 4096.0)}
T = np.array([0.0, 0.1])
NOTHING = np.array([np.nan, np.nan])


@pytest.mark.parametrize(
    ("columns", "absent", "why"),
    [
        ({"procfs.statm.2": NOTHING}, {"procfs.statm": "No such process"}, "No such process"),
        # the name of one file begins like that of another
        ({"procfs.statm.2": NOTHING}, {"procfs.stat": "No such process"}, "fewer samples"),
        ({"procfs.stat.7": np.array([1.0, 2.0])}, {}, "this run did not sample it"),
        ({}, {}, "fewer samples"),
    ],
)
def test_the_reason_is_the_right_one(columns, absent, why):
    numbers, reasons = {}, {}
    summarise(Frame(T, columns), FIELD, absent, numbers, reasons)
    assert numbers == {"procfs.shared": None}
    assert reasons["procfs.shared"].startswith(why)


COUNTED = {"c.x": Field("c.x", "1", "", 1.0, "counter")}


@pytest.mark.parametrize(
    ("low", "seen", "high", "rise"),
    [
        (10.0, [12.0, 20.0], 25.0, 15.0),
        (10.0, [], 25.0, 15.0),
        # a sample between the reading at the end and its event
        (10.0, [12.0, 30.0], 25.0, 15.0),
        # put back to zero in the step: below the first reading, and above it again
        (10.0, [12.0, 3.0], 5.0, 2 + 3 + 2),
        (10.0, [12.0, 3.0, 8.0], 15.0, 2 + 3 + 5 + 7),
        (10.0, [], 4.0, 4.0),
        (8000.0, [], 7999.0, 0.0),
    ],
)
def test_counters_between_the_ends_of_a_step(low, seen, high, rise):
    """A counter that began again within a step has not stood still."""
    frame = Frame(np.arange(len(seen), dtype=float), {"c.x": np.array(seen)})
    numbers, why = {}, {}
    ended = StepEnded(at=0.0, index=0, at_start={"c.x": low}, at_end={"c.x": high})
    exact_counters(ended, frame, COUNTED, numbers, why)
    assert numbers == {"c.x": rise}
