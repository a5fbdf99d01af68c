"""Logs of megabytes, brackets that never end, and streams of which a host kept a part only."""

from __future__ import annotations

import itertools
import json
import math
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.analysis.trial.outputs import FLUSH_S, _left_out_within
from runner.kinds.sources import parse
from runner.kinds.sources._json import last_json
from runner.kinds.sources.interface import Page, Printed
from runner.records.trial_events import Output

LOG_BYTES = 2 << 20


def read(family, asked, **printed):
    return parse(Printed(asked=(asked,), **printed), (family,))


@pytest.mark.parametrize(
    "line",
    ["[INFO] request 12 served\n", "[GIN] 2026/11/27 | 200 |\n", "{not json\n", "x {also none\n",
     "[1, 2, 3],\n", '{"a": "torn\n'],
)  # fmt: skip
def test_a_long_log_before_or_after_an_object_takes_no_time(line):
    """A decoder's errors count lines: that was seconds a megabyte, and minutes for a log."""
    log = line * (LOG_BYTES // len(line))
    for text in (log + '{"a": 5}\n' + line * 3, '{"a": {"b": [1]},\n"c": 5}\n'):
        begin = time.process_time()
        assert last_json(text) in ({"a": 5}, {"a": {"b": [1]}, "c": 5})
        assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    "text",
    ["[\n" * (LOG_BYTES // 2), '{"a":\n' * (LOG_BYTES // 6), "[\n" * 900 + "1,\n" * (LOG_BYTES // 3),
     '{"a\n' * (LOG_BYTES // 4)],
    ids=["lists", "objects", "a list of a million", "strings"],
)  # fmt: skip
def test_brackets_that_never_end_are_a_reason(text):
    begin = time.process_time()
    found = read("stdout", "stdout.json.a", stdout=text)
    assert time.process_time() - begin < 5
    assert found.numbers.get("stdout.json.a") is None
    assert found.why["stdout.json"]


def old_last_json(text):
    """The rule without its short cuts: whole objects at the beginning of a line, the last wins."""
    found, at = None, 0
    decoder = json.JSONDecoder()
    while at < len(text):
        begin = at == 0 or text[at - 1] == "\n" or text[:at].rpartition("\n")[2].strip(" \t") == ""
        if begin and text[at] in "{[":
            try:
                value, end = decoder.raw_decode(text, at)
            except ValueError:
                at += 1
                continue
            rest = text[end:].partition("\n")[0]
            if not rest.strip(" \t\r"):
                found = value if isinstance(value, dict) or not isinstance(found, dict) else found
            at = end
        else:
            at += 1
    return found


PIECES = st.lists(
    st.sampled_from(
        ['{"a": 1}', '{"b": [1, {"c": 2}]}', "[", "]", "{", "}", "\n", " ", '"a": ', "[1]", ",",
         "log", '{"a":\n 3\n}', '"', "\r\n", '{"k": "' + "x" * 300 + '"}', "\\"]
    ),
    max_size=14,
)  # fmt: skip


@given(PIECES)
@settings(max_examples=500, deadline=None)
def test_short_cuts_give_what_the_rule_gives(pieces):
    text = "".join(pieces)
    expected = old_last_json(text)
    if expected is not None:
        assert last_json(text) == expected


def test_objects_of_every_size_are_read_whole():
    """An object is looked for in windows that grow: none is cut at the end of one."""
    rng = random.Random(3)
    for size in (*range(1, 600, 7), 4090, 4096, 4100, 70_000):
        said = {"k": "é\\" * size, "n": -12345.678e-9, "t": [True] * (size % 9), "last": size}
        text = f"log\n{json.dumps(said, indent=rng.choice([None, 1]), ensure_ascii=size % 2 == 0)}\n]\n"
        assert last_json(text) == said


@pytest.mark.parametrize("values", list(itertools.permutations(["1", "NaN", "2"])))
def test_a_benchmark_that_says_nan_has_no_median(values):
    """In any order: a NaN has no place among the others, and 1 or 2 was given for a median."""
    said = "".join(f"BenchmarkA 10 {value} x/op\n" for value in values)
    found = read("gobench", "gobench.A.x_per_op", stdout=said)
    assert found.numbers["gobench.A.x_per_op"] is None
    assert "nan" in found.why["gobench.A.x_per_op"]


LINE = "gc {0} @{0}.0s 5%: 0.05+20+0.01 ms clock, 0.2+0.1/30/60+0.02 ms cpu, 4->5->3 MB, 8 MB goal"


@pytest.mark.parametrize(
    ("family", "asked", "printed"),
    [
        ("gobench", "gobench.ns_per_op",
         {"stdout": "BenchmarkA 1 5 ns/op\n", "left_out": {"stdout": 9}}),
        ("gctrace", "gctrace.count", {"stderr": LINE.format(1), "left_out_within": 9}),
        ("gctrace", "gctrace.pause_total", {"stderr": LINE.format(1), "left_out_within": 9}),
        ("scavtrace", "scavtrace.released",
         {"stderr": "scav 8 KiB work (bg), 0 KiB work (eager), 8 KiB now, 9% util\n",
          "stderr_within": "scav 8 KiB work (bg), 0 KiB work (eager), 8 KiB now, 9% util\n",
          "left_out_within": 9}),
    ],
)  # fmt: skip
def test_what_is_counted_over_a_stream_of_which_a_part_is_kept_is_unknown(family, asked, printed):
    """Cycles between the first eight megabytes and the last one were not counted, in silence."""
    found = read(family, asked, **printed)
    assert found.numbers.get(asked) is None
    assert "9 characters in its middle were left out" in found.why[family]
    whole = {key: value for key, value in printed.items() if not key.startswith("left_out")}
    assert not math.isnan(float(read(family, asked, **whole).numbers[asked]))


def test_a_step_before_what_was_left_out_is_whole():
    said = [
        Output(t=2.0, stream="stderr", text="a\n"),
        Output(t=50.0, stream="stdout", text="b\n", skipped=3),
        Output(t=60.0, stream="stderr", text="c\n", skipped=7),
    ]
    assert _left_out_within(said, "stderr", 2.0 - FLUSH_S - 0.5) == 0
    assert _left_out_within(said, "stderr", 10.0) == 7
    assert _left_out_within(said[:2], "stderr", 10.0) == 0


def test_a_series_without_labels_among_others_is_meant_by_its_name_alone():
    page = Page("m", '# TYPE g gauge\ng{x="b"} 4\ng 5\n')
    assert read("prometheus", "prometheus.g", pages=(page,)).numbers == {"prometheus.g": 5}


def test_a_type_line_may_have_more_blanks():
    """As prometheus_client reads it; the older form has the suffix in its samples alone."""
    text = '#  TYPE\tapp  counter\napp_total{c="1"} 3\napp_total{c="2"} 4\n'
    found = read("prometheus", "prometheus.app_total", pages=(Page("m", text),))
    assert found.numbers == {"prometheus.app_total": 7}
