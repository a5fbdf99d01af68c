"""Units by name, and numbers as they are shown in them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.records.amounts import amount, interval
from runner.records.quantities import parse, unit_problem
from runner.records.units import (
    BYTE_RATE,
    BYTES,
    COUNT,
    KNOWN,
    NOUNS,
    RATE,
    RATIO,
    TIME,
    UnitError,
    base_name,
    read_unit,
)


@pytest.mark.parametrize(
    ("name", "dimension", "size"),
    [
        ("", COUNT, 1), ("1", COUNT, 1), ("pages", COUNT, 1), ("{spins}", COUNT, 1),
        ("MiB", BYTES, 2**20), ("MB", BYTES, 10**6), ("ns", TIME, Fraction(1, 10**9)),
        ("ns/op", TIME, Fraction(1, 10**9)), ("B/op", BYTES, 1), ("allocs/op", COUNT, 1),
        ("1/min", RATE, Fraction(1, 60)), ("requests/s", RATE, 1), ("MiB/s", BYTE_RATE, 2**20),
        ("MB/min", BYTE_RATE, Fraction(10**6, 60)), ("Mbit/s", BYTE_RATE, 125_000),
        ("bit", BYTES, Fraction(1, 8)), ("bits/s", BYTE_RATE, Fraction(1, 8)), ("PiB", BYTES, 2**50),
        ("MW", "power", 10**6), ("kWh", "energy", 3_600_000), ("ppb", RATIO, Fraction(1, 10**9)),
        ("ms/s", RATIO, Fraction(1, 1000)), ("%", RATIO, Fraction(1, 100)), ("mW", "power", Fraction(1, 1000)),
        ("{spins}/s", RATE, 1), ("MB/request", BYTES, 10**6),
    ],
)  # fmt: skip
def test_units(name, dimension, size):
    found = read_unit(name)
    assert (found.dimension, found.size) == (dimension, size)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("furlong", "a noun of your own is written {furlong}"),
        ("mib", "unknown unit `mib`: write MiB"),
        ("M", "`M` is ambiguous: write MB (10^n) or MiB (2^n)"),
        ("sec", "write s"),
        ("Mbps", "`Mbps` is ambiguous: write Mbit/s or MB/s, which is 8 times as much"),
        ("MB/furlong", "unknown unit `MB/furlong`"),
        ("/", "unknown unit"),
        ("op/", "unknown unit"),
        ("MiB/MiB/MiB", "unknown unit"),
        ("{}", "unknown unit"),
        ("%%", "unknown unit"),
    ],
)
def test_what_is_no_unit(name, said):
    with pytest.raises(UnitError):
        read_unit(name)
    assert said in str(unit_problem(name))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (9.5e-3, "ms", "9.5 ms"), (1.2e-6, "ns", "1.2 µs"), (3.5e6, "MB", "3.5 MB"),
        (0.42, "%", "42 %"), (12e-3, "ms", "12 ms"), (3 * 2**20, "MiB", "3 MiB"),
        (3.5e9, "MB", "3.5 GB"), (512 * 1024, "MiB", "512 KiB"), (1.2e-7, "ns/op", "120 ns/op"),
        (64, "B/op", "64 B/op"), (12.3, "allocs/op", "12.3 allocs/op"), (1e8, "MB/s", "100 MB/s"),
        (5 / 60, "1/min", "5 /min"), (3.25, "W", "3.25 W"), (0, "%", "0 %"), (0, "MiB", "0 MiB"),
        (9.4984e-3, "ms", "9.50 ms"), (97742800, "B", "93.2 MiB"), (3, "1", "3"), (3, "pages", "3 pages"),
        (55.25, "°C", "55.2 °C"), (2.5e-5, "ppm", "25 ppm"),
    ],
)  # fmt: skip
def test_amounts(value, unit, text):
    """In the unit that is asked for where that gives 1 to 999, else in its neighbour."""
    assert amount(value, unit) == text


def test_an_interval_says_its_unit_once():
    assert interval((9.025e-3, 9.975e-3), "ms") == "9.03 … 9.97 ms"
    assert interval((None, 2**20), "MiB") == "≤ 1 MiB"


@given(
    st.floats(-1e290, 1e290) | st.just(math.nan),
    st.sampled_from([*KNOWN, *sorted(NOUNS)[:4], "{x}", "ns/op"]),
)
def test_every_number_is_shown_in_every_unit(value, unit):
    text = amount(value, unit)
    assert text
    assert ("–" in text) == (not math.isfinite(value))


@given(st.sampled_from([*KNOWN]), st.floats(1e-6, 1e6))
def test_a_number_in_a_unit_is_that_number_in_base_units(unit, number):
    """What is written with a unit is the same amount as what is printed in it."""
    if unit in ("", "1") or unit.startswith("/") or read_unit(unit).dimension == BYTES:
        return
    found = parse(f"{number:.6f}{unit}")
    assert found.exact == Fraction(f"{number:.6f}") * read_unit(unit).size


def test_base_units():
    assert [base_name(x) for x in ("MiB", "ms", "%", "1/min", "pages", "", "ns/op", "MB/s")] == [
        "B", "s", "1", "/s", "pages", "1", "s", "B/s",
    ]  # fmt: skip
