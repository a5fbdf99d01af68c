"""What a session is worth: known of several runs of one program, unknown of two."""

import math

import numpy as np
import pytest

from runner.analysis.model import Analysis, Estimate
from runner.analysis.runs.sessions import worth


def run(values):
    return Analysis(estimates=(Estimate("m", "ms", {}, None, tuple(values), len(values),
                                        None, None, None),))  # fmt: skip


KEY = ("m", (), None)


def test_two_runs_do_not_say_what_a_session_is_worth():
    assert worth([[run([10.0, 11.0])], [run([12.0, 13.0])]]) == {}


def test_three_runs_by_hand():
    """t of two degrees at 97.5 % is 4.303; the logarithms are 0, 0.1 and 0.2."""
    found = worth([[run([math.exp(at / 10)] * 4) for at in range(3)]])
    assert found[KEY].sessions == 3
    assert found[KEY].apart == pytest.approx(math.expm1(4.30265 * math.sqrt(2 * 0.01)), rel=1e-5)


def test_two_further_sessions_differ_by_no_more_in_19_of_20():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(2000):
        shifts = rng.normal(0, 0.05, 7)
        runs = [run(np.exp(shift + rng.normal(0, 0.02, 6)).tolist()) for shift in shifts]
        apart = worth([runs[:5]])[KEY].apart
        one, other = (np.mean(np.log(run.estimates[0].values)) for run in runs[5:])
        held += abs(one - other) <= math.log1p(apart)
    assert held / 2000 == pytest.approx(0.95, abs=0.015)
