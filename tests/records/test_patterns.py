"""Users' regular expressions: one dialect, in bounded time."""

from __future__ import annotations

import re
import resource
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.records.patterns import (
    PatternError,
    TooManyMatchesError,
    compiled,
    last_match,
    matches,
)
from tests.records.disasters import DISASTERS
from tests.specfile.reading import faults


@pytest.mark.parametrize(("pattern", "text"), DISASTERS)
def test_time_is_linear(pattern, text):
    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert not matches(pattern, text)
    assert last_match(pattern, text) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - began < 1


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?=x)", "lookaround is not there"),
        ("(?<!x)y", "lookaround is not there"),
        (r"(a)\1", "back-references are not there"),
        ("(?P<a>x)(?P=a)", "back-references are not there"),
        ("a{2000}", "a repeat counts to 1000"),
        ("((a{100}){100}){100}", "is not a regular expression"),
        ("[", "is not a regular expression"),
        ("a++", "is not a regular expression"),
        ("[[:alpha:]]", "is read in two ways"),
        ("a{,3}", "write {0,n}"),
        (r"\pL", "is not a regular expression"),
        (r"\Z", "is not a regular expression"),
        ("(?<n>a)", "is not a regular expression"),
        ("(?a)x", "is not a regular expression"),
        ("\ud800", "is not a regular expression"),
        ("(" * 500 + ")" * 500, "is not a regular expression"),
        ("x" * 1001, "at most 1000"),
    ],
)
def test_what_the_two_do_not_read_alike_is_refused(pattern, message):
    with pytest.raises(PatternError) as caught:
        compiled(pattern)
    assert message in str(caught.value)


def test_the_last_match_counts():
    text = "took 1 ms\ntook 12 ms é\n"
    assert last_match("took (.*) ms", text) == ("took 12 ms", "12")
    assert last_match(r"^took \d+", text) == ("took 12", "took 12")
    assert last_match("(x)?é", text) == ("é", "")
    assert last_match("\\d+", "half \ud800 7") == ("7", "7")


def test_too_many_matches_are_said():
    with pytest.raises(TooManyMatchesError, match="more than 200000 times"):
        last_match("a*", "b" * 300_000)


ALPHABET = "ab1 \n.*+?()[]{}|^$\\dwsbnA-:,iP<>=é" + string.digits[:3]


@given(st.text(ALPHABET, max_size=12), st.text("ab1 \n.é", max_size=12))
def test_what_is_taken_means_the_same_to_a_host(pattern, text):
    try:
        compiled(pattern)
    except PatternError:
        return
    host = re.search(pattern, text, re.MULTILINE | re.ASCII)
    assert matches(pattern, text) == (host is not None)


@pytest.mark.parametrize(
    "where",
    [
        "workload: {{argv: [a], ready: {{stdout: '{}'}}}}\n",
        "requires: {{board.model: {{matches: '{}'}}}}\n",
        "workload: {{argv: [a], run: once}}\nmetrics: {{m: {{from: stdout.regex, pattern: '{}'}}}}\n",
    ],
)
def test_every_place_of_a_spec_refuses_what_is_not_of_the_dialect(where):
    (said,) = faults(where.format("(?=x)"))
    assert "lookaround is not there" in said
