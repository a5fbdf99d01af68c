"""`export`: every format read back by its own rules."""

import csv
import importlib.util
import io
import re

import pytest

from tests.cli.command import FIRST, runner


def table(*words):
    return list(csv.DictReader(io.StringIO(runner("export", FIRST, "--to", "csv", *words).stdout)))


def test_csv_has_a_row_per_repetition():
    rows = table()
    assert len(rows) == 12
    assert {row["factor.mb"] for row in rows} == {"10", "20"}
    assert sorted(int(row["repetition"]) for row in rows if row["factor.mb"] == "10") == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert all(float(row["value"]) > 1e7 for row in rows)


def test_csv_of_samples_and_steps():
    samples = table("--what", "samples")
    assert len({row["trial"] for row in samples}) == 12
    times = [float(row["t_s"]) for row in samples if row["trial"] == "10-r1-a1"]
    assert times == sorted(times)
    steps = table("--what", "steps")
    empty = [row for row in steps if row["value"] == ""]
    assert empty
    assert all(row["why"] for row in empty)


def test_openmetrics_follows_its_grammar():
    text = runner("export", FIRST, "--to", "openmetrics").stdout
    lines = text.splitlines()
    assert text.endswith("# EOF\n")
    assert lines.index("# TYPE experiment_rss_bytes gauge") < lines.index(
        "# UNIT experiment_rss_bytes bytes"
    )
    sample = re.compile(r'[a-z_]+\{(\w+="[^"\n]*",?)+\} [0-9.e+-]+ [0-9.]+')
    assert all(sample.fullmatch(line) for line in lines if not line.startswith("#"))
    assert sum(not line.startswith("#") for line in lines) == 12


def test_benchfmt_lines_have_pairs_of_number_and_unit():
    lines = runner("export", FIRST, "--to", "benchfmt").stdout.splitlines()
    results = [line.split() for line in lines if line.startswith("Benchmark")]
    assert len(results) == 12
    for name, iterations, *pairs in results:
        assert name in {"BenchmarkSizes/mb=10", "BenchmarkSizes/mb=20"}
        assert (iterations, len(pairs) % 2) == ("1", 0)
        assert all(float(number) > 0 for number in pairs[::2])


def test_parquet_or_how_to_get_it(tmp_path):
    out = tmp_path / "x.parquet"
    assert "name a file" in runner("export", FIRST, "--to", "parquet", code=3).stderr
    if importlib.util.find_spec("pyarrow"):
        runner("export", FIRST, "--to", "parquet", "-o", out)
        assert out.read_bytes()[:4] == b"PAR1"
    else:
        done = runner("export", FIRST, "--to", "parquet", "-o", out, code=2)
        assert "pip install pyarrow" in done.stderr


@pytest.mark.parametrize("words", [(), ("--to", "xml")])
def test_a_format_has_to_be_named(words):
    runner("export", FIRST, *words, code=64)
