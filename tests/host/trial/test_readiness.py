"""Patterns of `ready` on a host are looked for within a deadline."""

import signal

import pytest

from runner.host.trial import readiness
from runner.host.trial.context import Aborted
from tests.records.disasters import DISASTERS


@pytest.mark.parametrize(("pattern", "text"), DISASTERS)
def test_a_pattern_that_takes_for_ever_ends_the_trial(pattern, text):
    before = signal.getsignal(signal.SIGVTALRM)
    try:
        assert not readiness._matches(pattern, text)
    except Aborted as fault:
        assert "took more than 0.25 s" in str(fault)  # noqa: PT017 - some are quick here
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_the_classic_one_does_take_for_ever():
    with pytest.raises(Aborted, match="repeats inside of repeats"):
        readiness._matches("(a+)+$", "a" * 40 + "!")


def test_what_is_printed_is_found_at_any_line():
    assert readiness._matches("^ready$", "warming\nready\n")
    assert not readiness._matches(r"^\d+$", "١٢\n")
