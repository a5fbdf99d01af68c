"""Every match, item and row that a program prints: the statistic, what is thrown away, series."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.kinds.sources import parse
from runner.kinds.sources.interface import Printed
from runner.spec.metrics import Metric

JSON = '{"runs": [{"ms": 9}, {"ms": 1}, {"ms": 2}, {"ms": 6}], "empty": []}'
CSV = "warming up\ntime; ms; note\n0; 9; a\n1; 1; b\n2; 2; c\n3; 6; d\ndone in 3 s\na; total; e\n"
LINES = 'log\n{"ms": 9}\n{"other": 1, "ms": 1}\n{"ms": 2}\n{"ms": 6}\n'
TEXT = "ms=9 ms=1\nms=2 ms=6\n"
EVERY = {
    "stdout.json.runs.*.ms": JSON,
    "stdout.csv.ms": CSV,
    "stdout.jsonl.ms": LINES,
    "stdout.regex": TEXT,
}


def metric(source: str, **more: object) -> Metric:
    pattern = {"pattern": r"ms=(\d+)"} if source.endswith(".regex") else {}
    return Metric.model_validate({"from": source, **pattern, **more})


def found_of(one: Metric, text: str, left_out: int = 0):
    asked = (one.asked,) if one.asked else ()
    patterns = ((one.source, one.pattern),) if one.pattern and not asked else ()
    printed = Printed(
        stdout=text, asked=(one.number,), many=asked, patterns=patterns,
        left_out={"stdout": left_out},
    )  # fmt: skip
    return parse(printed, ("stdout",))


def value(one: Metric, text: str, left_out: int = 0):
    found = found_of(one, text, left_out)
    return found.numbers.get(one.number), found.why.get(one.number, "")


@pytest.mark.parametrize("source", EVERY)
@pytest.mark.parametrize(
    ("how", "wanted"),
    [("mean", 4.5), ("median", 4), ("min", 1), ("max", 9), ("sum", 18), ("count", 4), ("first", 9),
     ("last", 6)],
)  # fmt: skip
def test_all_that_was_printed(source, how, wanted):
    """A list's items, a column's rows, lines and matches alike."""
    assert value(metric(source, statistic=how), EVERY[source]) == (wanted, "")


@pytest.mark.parametrize("source", EVERY)
def test_the_first_are_thrown_away_and_that_is_counted(source):
    for skip, mean, many in ((1, 3, 1), ("25%", 3, 1), ("26%", 4, 2), (0, 4.5, 0)):
        one = metric(source, statistic="mean", skip=skip)
        found = found_of(one, EVERY[source])
        assert found.numbers[one.number] == mean
        assert found.numbers[f"{one.number}[skipped]"] == many
        assert found.numbers[f"{one.number}[taken]"] == 4 - many
    number, why = value(metric(source, statistic="mean", skip=4), EVERY[source])
    assert (number, why) == (None, "all 4 are thrown away by skip")


def test_without_a_statistic_it_is_the_last():
    for source in ("stdout.csv.ms", "stdout.jsonl.ms"):
        assert value(metric(source), EVERY[source]) == (6, "")
    assert value(metric("stdout.regex"), TEXT) == (6, "")


def test_nothing_is_left_out_silently():
    """An item that is not a number, a list that is empty, a stream of which a part is lost."""
    for text, why in (
        ('{"runs": [{"ms": 1}, {"ms": null}]}', "item 2 of those taken is not a number: null"),
        ('{"runs": [{"ms": 1}, {}]}', "item 2 of those taken is missing"),
        ('{"runs": [{"ms": 1}, {"ms": "fast"}]}', "item 2 of those taken is not a number: fast"),
        ('{"runs": []}', "nothing on stdout is an item of stdout.json.runs.*.ms"),
        ('{"runs": 3}', "the JSON has no list at runs"),
        ("{}", "the JSON has no `runs`"),
        ("", "no JSON was printed on stdout"),
    ):
        number, said = value(metric("stdout.json.runs.*.ms", statistic="mean"), text)
        assert number is None
        assert why in said, text
    number, said = value(metric("stdout.regex", statistic="count"), TEXT, left_out=50)
    assert number is None
    assert "only a part of stdout is kept: 50 characters" in said
    assert value(metric("stdout.regex"), TEXT, left_out=50)[0] == 6
    number, said = value(metric("stdout.csv.us", statistic="mean"), CSV)
    assert (number, said) == (None, "no line on stdout has the column us")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("t,ms\n1,2\n\nt,ms\n3,4\n", 3),  # as sar does every so many lines
        ("t,ms\n1,2\nGC took long\n3,4\n", "behind the line `GC took long`"),
        ("t,ms\n1,2\n3,4\n\ntotal,6\n", "behind the line ``"),
        ("t,ms\n1,2\n3,4\n\nall done\nas, planned\n", 3),
    ],
)
def test_rows_that_go_on_behind_another_line_are_not_left_out_silently(text, wanted):
    """A log between rows, or a total behind them: which it is nobody can tell."""
    number, why = value(metric("stdout.csv.ms", statistic="mean"), text)
    assert number == wanted if isinstance(wanted, int) else wanted in why


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"from": "stdout.json.runs", "series": {"t": "at.s", "v": "n"}},
         '{"runs": [{"at": {"s": 0}, "n": 1}, {"at": {"s": 1}, "n": 5}, {"at": {"s": 2}, "n": 7}]}'),
        ({"from": "stdout.csv", "series": {"t": "s", "v": "n"}}, "s,n\n0,1\n1,5\n2,7\n"),
        ({"from": "stdout.jsonl", "series": {"t": "s", "v": "n"}},
         '{"s": 0, "n": 1}\n{"s": 1, "n": 5}\n{"s": 2, "n": 7}\n'),
        ({"from": "stdout.regex", "pattern": r"(\d+) s: (\d+)", "series": {"t": 1, "v": 2}},
         "0 s: 1\n1 s: 5\n2 s: 7\n"),
        ({"from": "stdout.csv", "series": {"t": "ms", "v": "n", "unit": "ms"}},
         "ms,n\n0,1\n1000,5\n2000,7\n"),
    ],
)  # fmt: skip
def test_a_series_has_times_and_its_begin_can_be_thrown_away(more, text):
    one = Metric.model_validate({"statistic": "mean", "skip": "1s", **more})
    found = found_of(one, text)
    assert found.numbers[one.number] == 6
    assert found.series[one.number] == ((1.0, 2.0), (5.0, 7.0))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"from": "procfs.rss", "skip": 1}, "`skip` is of what a program prints"),
        ({"from": "stdout.json.a.*"}, "is many numbers: say statistic"),
        ({"from": "stdout.json.a", "skip": 2}, "`skip` leaves many numbers: say statistic"),
        ({"from": "stdout.json.a", "skip": "2s", "statistic": "max"}, "needs times: say series"),
        ({"from": "stdout.json.a", "skip": "1MiB", "statistic": "max"}, "is not a part of a list"),
        ({"from": "stdout.json.a", "skip": 1.5, "statistic": "max"}, "not a whole number"),
        ({"from": "stdout.json.a", "skip": "100%", "statistic": "max"}, "throws everything away"),
        ({"from": "stdout.regex", "pattern": "(a)(b)", "statistic": "max"}, "has 2 groups"),
        ({"from": "stdout.regex", "pattern": "(a)(b)", "statistic": "max",
          "series": {"t": 1, "v": 3}}, "`3` is not a group"),
        ({"from": "stdout.csv", "statistic": "max", "series": {"t": "a", "v": "b", "unit": "MB"}},
         "is not a unit of time"),
        ({"from": "stdout.csv"}, "has many columns: name one"),
        ({"from": "stdout.jsonl", "statistic": "max"}, "has many columns: name one"),
        ({"from": "stdout.regex:(a)"}, "did you mean `regex`?"),
        ({"from": "stdout.json", "statistic": "max"}, "is a whole object: name a value"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(more, said):
    with pytest.raises(ValidationError, match=re.escape(said)):
        Metric.model_validate(more)


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30), st.integers(0, 40))
def test_a_mean_is_of_what_is_not_thrown_away(numbers, skip):
    text = "\n".join(f"v {number!r}" for number in numbers)
    one = Metric.model_validate(
        {"from": "stdout.regex", "pattern": r"v (\S+)", "statistic": "mean", "skip": skip}
    )
    number, why = value(one, text)
    kept = numbers[skip:]
    if kept:
        assert number == pytest.approx(sum(kept) / len(kept), abs=1e-6)
    else:
        assert (number, why) == (None, f"all {len(numbers)} are thrown away by skip")
