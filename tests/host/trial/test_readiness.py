"""Patterns of `ready` on a host are looked for within a deadline."""

import signal

import pytest

from runner.host.trial import output, readiness
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


def heeded(*patterns, chunks, rest=False):
    found = output.Heeded("stdout", patterns)
    for chunk in chunks:
        found.take(chunk)
    found.take("", rest=rest)
    return found.why


def test_a_heeded_pattern_is_looked_for_in_whole_lines():
    assert heeded("^FATAL", chunks=["a\nFAT", "AL 3\n"]) == "stdout matches '^FATAL'"
    assert heeded("code 1$", chunks=["code 1", "2\n"]) == ""
    assert heeded("code 1$", chunks=["code 1"]) == ""
    assert heeded("code 1$", chunks=["code 1"], rest=True)
    assert heeded("^b$", chunks=["x" * 5000 + "\n", "ab\n"]) == ""
    assert heeded("one\ntwo", chunks=["one\n", "two\n"])
    assert heeded("b", "c", chunks=["c\n", "b\n"]) == "stdout matches 'c'"


def test_a_heeded_pattern_is_found_among_a_lot():
    chunks = ["line of noise\n" * 4000] * 20
    assert heeded("^FATAL", chunks=[*chunks, "FATAL\n", *chunks])
    assert not heeded("^line$", chunks=chunks)


def test_a_heeded_pattern_that_takes_for_ever_is_said():
    why = heeded("(a+)+$", chunks=["a" * 40 + "!\n"])
    assert "repeats inside of repeats" in why
