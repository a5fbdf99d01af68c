"""Joules of a step from counters, or from the mean of power sensors."""

from __future__ import annotations

import numpy as np
import pytest

from runner.analysis.trial import energy
from runner.analysis.trial.frames import Frame
from runner.kinds.sources.energy import KIND

COUNTERS = {f"energy.{n}": f for n, f in KIND.fields({"energy.counters": ["/a", "/b"]}).items()}
SENSORS = {f"energy.{n}": f for n, f in KIND.fields({"energy.sensors": ["/c"]}).items()}
FLAT = Frame(np.array([0.0, 1.0]), {"energy.counter0": np.array([1.0, 2.0])})


def joined(fields, frame=FLAT, seconds=10.0, **numbers):
    found = {name.replace("__", "."): value for name, value in numbers.items()}
    why: dict[str, str] = {}
    energy.add(fields, frame, seconds, found, why)
    return found, why


def test_counters_of_all_packages_add_up():
    found, why = joined(COUNTERS, energy__counter0=30.0, energy__counter1=10.0, load__good=80.0)
    assert found["energy.joules"] == 40
    assert found["energy.power"] == 4
    assert found["energy.per_good"] == 0.5
    assert not why


def test_a_sensors_mean_is_taken_times_the_duration():
    found, why = joined(SENSORS, energy__sensor0=9.0, energy__sensor0__mean=3.0)
    assert found["energy.joules"] == 30
    assert found["energy.power"] == 3
    assert found["energy.per_good"] is None
    assert why["energy.per_good"] == "no good request is known of this step"


def test_a_counter_that_went_past_its_end_gives_nothing():
    frame = Frame(np.array([0.0, 1.0]), {"energy.counter1": np.array([9e9, 3.0])})
    found, why = joined(COUNTERS, frame, energy__counter0=30.0, energy__counter1=10.0)
    assert found["energy.joules"] is None
    assert why["energy.joules"] == "/b went past its end within the step"


@pytest.mark.parametrize("fields", [{}, COUNTERS])
def test_what_is_not_measured_has_its_reason(fields):
    found, why = joined(fields)
    assert found["energy.power"] is None
    assert why["energy.power"] in (energy.NOTHING, "not read in this step")
