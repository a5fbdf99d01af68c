"""Medians over repetitions are of the trials that the estimates are of."""

from dataclasses import replace

from runner.analysis.claims.values import counted
from runner.report.figures.labels import by_treatment
from runner.report.sections import repeated
from tests.report import fixture


def test_a_trial_that_ended_in_an_error_is_no_repetition():
    """Its first steps may be healthy: no metric, no table and no figure counts them."""
    sound = [fixture.trial(f"t{n}", n, 1, 1.0) for n in (1, 2)]
    broken = replace(fixture.trial("t3", 3, 1, 9.0), outcome="error", why="the host is gone")
    trials = [*sound, broken]
    assert counted(trials) == sound
    assert by_treatment(trials) == {"": sound}
    assert repeated.summary(trials) == repeated.summary(sound)
