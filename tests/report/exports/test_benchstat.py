"""The Go benchmark format against the real benchstat: same medians, intervals and p."""

import csv
import io
import json
import os
import random
import subprocess

import pytest

from runner.analysis.model import Analysis, Estimate, Trial
from runner.analysis.stats.intervals import median_interval
from runner.analysis.stats.significance import mann_whitney
from runner.errors import RunnerError
from runner.report.exports import benchfmt
from runner.spec.metrics import Metric
from runner.toolchain import default_cache_dir, resolve
from tests.cli.command import FIRST, SECOND, runner

MODULE = "golang.org/x/perf/cmd/benchstat@v0.0.0-20230113213139-801c7ef9e5c5"


@pytest.fixture(scope="module")
def benchstat(tmp_path_factory):
    bin_dir = tmp_path_factory.mktemp("benchstat")
    try:
        go = resolve("1.22.10", default_cache_dir())
    except RunnerError as error:
        pytest.skip(f"no Go: {error.message}")
    env = {**os.environ, **go.env, "GOBIN": str(bin_dir)}
    made = subprocess.run(
        [go.path, "install", MODULE], env=env, text=True, capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"benchstat cannot be had: {made.stderr.strip().splitlines()[-1]}")

    def run(*words):
        done = subprocess.run(
            [bin_dir / "benchstat", "-format", "csv", *map(str, words)],
            text=True, capture_output=True, check=True,
        )  # fmt: skip
        return list(csv.reader(io.StringIO(done.stdout))), done.stderr

    return run


def written(folder, name, rows):
    """One export: metrics m0, m1, … with one value per repetition."""
    trials = tuple(Trial(f"r{i}", "h", {}, i, 1, "healthy", "", 0.0) for i in range(len(rows[0])))
    cells = tuple(
        Estimate(f"m{at}", "s", {}, None, tuple(row), len(row), None, None, None)
        for at, row in enumerate(rows)
    )
    metrics = {f"m{at}": Metric.model_validate({"from": "load.rps"}) for at in range(len(rows))}
    analysis = Analysis(trials=trials, estimates=cells)
    file = folder / f"{name}.txt"
    file.write_text(benchfmt.text("made", analysis, metrics, {}, about={"run": name}))
    return file


def values(found):
    """(median, CI, other median, other CI, p) of every metric in benchstat's CSV."""
    lines = [row for row in found if row and row[0] == "Made"]
    return [
        (float(row[1]), row[2], float(row[3]), row[4], float(row[6].split()[0][2:]))
        for row in lines
    ]


@pytest.mark.parametrize(("n", "spread"), [(6, 0.2), (7, 0.3), (10, 0.1), (15, 0.4)])
def test_medians_intervals_and_p_are_benchstats(benchstat, tmp_path, n, spread):
    dice = random.Random(n)
    a = [[dice.lognormvariate(0, spread) for _ in range(n)] for _ in range(5)]
    b = [[1.2 * dice.lognormvariate(0, spread) for _ in range(n)] for _ in range(5)]
    files = written(tmp_path, "a", a), written(tmp_path, "b", b)
    found = values(benchstat(*files)[0])
    assert len(found) == 5
    for (x, x_ci, y, y_ci, p), ours, others in zip(found, a, b, strict=True):
        for median, ci, row in ((x, x_ci, ours), (y, y_ci, others)):
            mine = median_interval(row, 0.95)
            assert median == pytest.approx(mine.estimate, rel=1e-9)
            away = max(mine.high / mine.estimate - 1, 1 - mine.low / mine.estimate)
            assert ci == f"{100 * away:.0f}%"
        assert p == pytest.approx(mann_whitney(ours, others).p, abs=0.0005)


def test_ties_are_counted_as_benchstat_counts_them(benchstat, tmp_path):
    a, b = [[1.0, 1.0, 2.0, 2.0, 3.0, 3.0]], [[2.0, 2.0, 3.0, 3.0, 3.0, 4.0]]
    ((*_, p),) = values(benchstat(written(tmp_path, "a", a), written(tmp_path, "b", b))[0])
    assert p == pytest.approx(mann_whitney(a[0], b[0]).p, abs=0.0005)


def test_benchstat_too_has_no_interval_below_six(benchstat, tmp_path):
    a, b = [[1.0, 2.0, 3.0, 4.0, 5.0]], [[2.0, 3.0, 4.0, 5.0, 6.0]]
    found, said = benchstat(written(tmp_path, "a", a), written(tmp_path, "b", b))
    assert values(found)[0][1] == "∞"
    assert "need >= 6 samples" in said
    assert median_interval(a[0], 0.95) is None


def test_two_exports_are_one_table(benchstat, tmp_path):
    """Recorded runs, by the command line: nothing about a run keeps benchstat from comparing."""
    files = []
    for run in (FIRST, SECOND):
        files.append(tmp_path / f"{run}.txt")
        runner("export", run, "--to", "benchfmt", "-o", files[-1])
    rows = {row[0]: row for row in benchstat(*files)[0] if row and row[0].startswith("Sizes")}

    said = json.loads(runner("compare", FIRST, SECOND, "--json").stdout)["rows"]
    assert len(rows) == len(said) == 2
    printed = [exported(file) for file in files]
    for ours in said:
        theirs = rows[f"Sizes/mb={ours['where']['mb']}"]
        assert [float(theirs[1]), float(theirs[3])] == pytest.approx(ours["median"])
        name = f"Sizes/mb={ours['where']['mb']}"
        tested = mann_whitney(*(side[name] for side in printed))
        assert theirs[6] == f"p={tested.p:.3f} n=6"


def exported(file):
    """Give the values of a benchfmt file by their benchmark's name."""
    found = {}
    for line in file.read_text().splitlines():
        if line.startswith("Benchmark"):
            name, _, value, *_ = line.split()
            found.setdefault(name.removeprefix("Benchmark"), []).append(float(value))
    return found


def test_sides_of_a_comparison_are_columns(benchstat, tmp_path):
    file = tmp_path / "sides.txt"
    file.write_text(runner("compare", FIRST, SECOND, "--format", "benchfmt").stdout)
    found, _ = benchstat("-col", "side", file)
    assert [row[1:4:2] for row in found if "a" in row] == [["a", "b"]]
    assert sum(row[:1] == ["Sizes/mb=10"] for row in found) == 1
