"""Numbers are shown in the unit a reader would choose, and absence is never zero."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.format import units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0, "0 B"), (1, "1 B"), (1023, "1\u202f023 B"), (1024, "1.00 KiB"),
        (33554432, "32.0 MiB"), (1048575, "1.00 MiB"), (25.25 * 2**20, "25.2 MiB"), (3 * 2**30, "3.00 GiB"),
    ],
)  # fmt: skip
def test_sizes(value, text):
    """Powers of 1024, with their names."""
    assert units.size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0, "0 s"), (4.2e-6, "4.20 µs"), (0.000_999_6, "1.00 ms"), (0.001_42, "1.42 ms"),
        (0.9996, "1.00 s"), (31, "31.0 s"), (125, "2 min 5 s"), (120, "2 min"), (7380, "2 h 3 min"), (1e-12, "0.00100 ns"),
        (-125, "\u22122 min 5 s"), (-7380, "\u22122 h 3 min"),
    ],
)  # fmt: skip
def test_durations(value, text):
    """The unit is chosen after rounding: never 1000 ms."""
    assert units.duration(value) == text


def test_amounts_in_the_unit_of_the_metric():
    """Values are in base units; the metric says how they are shown."""
    assert units.amount(32e6, "MB") == "32 MB"
    assert units.amount(23.9e6, "MiB") == "22.8 MiB"
    assert units.amount(0.0012, "ms") == "1.2 ms"
    assert units.amount(0.125, "%") == "12.5 %"
    assert units.amount(149, "connections") == "149 connections"
    assert units.amount(41832.4, "1/s") == "41\u202f832 /s"
    assert units.amount(1.5e9, "Hz") == "1.50 GHz"
    assert units.amount("abc123", "") == "abc123"
    assert units.amount(7200.0, "Wh") == "2 Wh"
    assert units.amount(2.5e5, "J") == "250 kJ"
    assert units.amount(None, "MB") == "–"
    assert units.amount(-3, "") == "-3"


def test_intervals():
    """One unit for both ends is said once; open ends are said in words."""
    assert units.interval((86.0, 93.0), "connections") == "86 … 93 connections"
    assert units.interval((1e-4, 2e-3), "s") == "100 µs … 2.00 ms"
    assert units.interval((None, 0.5), "s") == "≤ 500 ms"
    assert units.interval((5, None), "1") == "≥ 5"
    assert units.interval((5, 5), "1") == "5"
    assert units.interval((5, 1500), "1") == "5 … 1\u202f500"
    assert units.interval(None, "s") == "–"


@given(
    st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]),
    st.sampled_from(["B", "s", "1", "MiB", "%", "Hz", "1/s"]),
)
def test_every_number_is_shown(value, unit):
    """No value raises, and none but NaN and infinities is shown as absent."""
    text = units.amount(value, unit)
    assert text
    assert (units.NONE in text) == (not math.isfinite(value))
