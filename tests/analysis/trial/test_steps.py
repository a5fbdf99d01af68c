"""Why a source gives no number in a step: absent there, not sampled by that run, or too short."""

from __future__ import annotations

import numpy as np
import pytest

from runner.analysis.trial.frames import Frame
from runner.analysis.trial.steps import summarise
from runner.kinds.sources.interface import Field

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
