"""Sections that not every report has: searches, and the tables a spec asks for."""

import xml.etree.ElementTree as ET

import pytest

from runner.analysis.model import Analysis, ClaimResult, Estimate
from runner.report.figures import choice, strip
from runner.report.format import units, words
from runner.report.sections import claims, metrics, searches, summary
from runner.spec.experiment import Experiment
from tests.report import fixture


def estimate(metric, value, flags, unit="", n=6, step=None):
    return Estimate(
        metric, unit, {"flags": flags}, step, (value,) * n, n, value, (value, value), 0.9
    )


SIZES = (
    estimate("binary_size", 5_000_000.0, "default", "MB"),
    estimate("binary_size", 3_500_000.0, "stripped", "MB"),
    estimate("rss_idle", 2.0**22, "default", "B"),
    estimate("rss_idle", 2.0**22, "stripped", "B"),
)
SPEC = {
    "baseline": {"flags": "default"},
    "metrics": {"binary_size": {"from": "build.size"}, "rss_idle": {"from": "procfs.rss"}},
    "report": {
        "table": {
            "rows": ["flags"],
            "columns": ["binary_size", "binary_size.vs_baseline", "binary_size.ratio", "binary_size.difference", "rss_idle", "rss_idle.n", "absent"],
        },
        "notes": ["The author's <note>."],
    },
}  # fmt: skip


def test_table_that_the_spec_asks_for():
    """Rows by factor in the order of the spec, values against the baseline."""
    [(title, table)] = metrics.asked_tables(SIZES, Experiment.model_validate(SPEC))
    assert title == "Table"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert rows[2] == ["default", "5 MB", "0 %", "1.00×", "0 MB", "4.00 MiB", "6", "–"]
    assert rows[3] == [
        "stripped",
        "3.5 MB",
        "\u221230.0 %",
        "0.700×",
        "\u22121.5 MB",
        "4.00 MiB",
        "6",
        "–",
    ]


def test_nothing_is_averaged_over_what_a_table_leaves_out():
    """Where two treatments would fall into one cell, the cell is empty."""
    spec = {**SPEC, "report": {"table": {"rows": [], "columns": ["binary_size"]}}}
    [(_, table)] = metrics.asked_tables(SIZES, Experiment.model_validate(spec))
    assert table.splitlines()[2].strip("| ") == units.NONE


def test_tables_by_step():
    """`step` is a row like a factor; a metric of the trial stands beside each."""
    found = [
        *(estimate("p99", 0.001 * i, "a", "ms", step=str(i)) for i in (1, 2)),
        estimate("size", 7.0, "a"),
    ]
    spec = {
        "report": {"tables": [{"title": "By step", "rows": ["step"], "columns": ["p99", "size"]}]}
    }
    [(title, table)] = metrics.asked_tables(found, Experiment.model_validate(spec))
    assert title == "By step"
    assert [line.split("|")[2].strip() for line in table.splitlines()[2:]] == ["1 ms", "2 ms"]
    assert [line.split("|")[3].strip() for line in table.splitlines()[2:]] == ["7", "7"]


def test_author_notes_come_first_and_are_text():
    """Notes of the spec, then of the analysis."""
    found = summary.notes(Experiment.model_validate(SPEC), Analysis(notes=("b",)))
    assert found == ["The author's &lt;note&gt;.", "b"]


def test_search_levels_are_summed_over_its_runs():
    """A search recorded as the trials by level of each run has its table and its curve."""
    found = {
        "what": "connections",
        "runs": [
            {"repetition": 1, "treatment": {}, "level": 90, "last_passing": 90, "first_failing": 92, "table": [[64, 1, 1], [90, 3, 5], [92, 1, 5]], "trials": 11, "at_bound": ""},
            {"repetition": 2, "treatment": {}, "level": None, "last_passing": None, "first_failing": 64, "table": [[64, 0, 2]], "trials": 2, "at_bound": "low"},
        ],
    }  # fmt: skip
    assert searches.normal(found)["levels"][0] == {"level": 64, "passes": 1, "trials": 3}
    view = searches.view(found)
    assert "at its lower bound: nothing passed there" in view["searches"]
    assert "1 of 3" in view["levels"]
    files, shown = choice.draw(Experiment(), Analysis(search=found))
    assert shown["search"] == "![Share of healthy trials by level](figures/search.svg)"
    ET.fromstring(files["figures/search.svg"])


def test_no_search_no_section():
    """Nor one that recorded nothing."""
    assert searches.view(None) is None
    assert searches.view({}) is None
    assert searches.view({"runs": []})["searches"] is None
    assert choice.draw(Experiment(), fixture.analysis(search={"runs": []}))[1]["search"] is None


def test_values_in_words():
    """Every kind of a cell's value, and facts with their unit."""
    assert words.value({"type": "symlink", "target": "/etc/x"}) == "link to /etc/x"
    assert words.value({"type": "dir", "mode": 0o755}) == "folder"
    assert words.value({"type": "file", "bytes_b64": "!"}) in {"file", "file, 0 B"}
    assert (
        words.value({"type": "file", "bytes_b64": "eA==", "mode": "0600"}) == "file, 1 B, mode 0600"
    )
    assert words.value({"priority": -2}) == "on, priority -2"
    assert words.value({"a": 1, "b": None}) == "a: 1, b: absent"
    assert words.value(["a", True]) == "a yes"
    assert words.value([]) == "none"
    assert words.value("  ") == "(empty)"
    assert words.value(0) == "0"
    assert words.fact("cpu.max_khz", 1_800_000) == "1.80 GHz"
    assert words.fact("memory.total_bytes", 2**32) == "4.00 GiB"
    assert words.fact("limits.nofile_hard", 20000) == "20000"
    assert words.plural(1, "trial") == "1 trial"


@pytest.mark.parametrize(("n", "said"), [(20, " ["), (14, "(an interval needs 15)")])
def test_a_mean_where_it_is_asked_for_has_its_bootstrap_interval(n, said):
    from runner.analysis.stats.intervals import mean_interval
    from runner.report.format import units

    values = tuple(2.0**20 * (10 + (at * 7) % 5) for at in range(n))
    found = [Estimate("rss", "MiB", {"flags": "all"}, None, (*values, None), n, None, None, None)]
    spec = {"report": {"table": {"rows": ["flags"], "columns": ["rss.mean"]}}}
    [(_, table)] = metrics.asked_tables(found, Experiment.model_validate(spec))
    assert f"{units.amount(sum(values) / n, 'MiB')}{'' if n == 20 else ' '}{said}" in table.replace(
        "\\", ""
    )
    if n == 20:
        assert units.interval(mean_interval(values).bounds, "MiB") in table
        assert mean_interval(values) == mean_interval(values)


def test_a_statement_shows_the_difference_of_its_sides():
    claim = ClaimResult(
        "1", "4.1", "less", "rss[a] < rss[b]", "reproduced", "it holds in 6 of 6 blocks",
        -20480.0, "KiB", (-22528.0, -18432.0), 6, tuple(-20480.0 + 512 * i for i in range(6)),
        (None, 0.0), of="left − right",
    )  # fmt: skip
    assert "−20 KiB (left − right)" in claims.table([claim])
    drawn = strip.draw(claim).decode()
    ET.fromstring(drawn)
    for text in (
        "left − right",
        "the statement holds: ≤ 0 KiB",
        "repetitions (n = 6)",
        "reproduced",
    ):
        assert text in drawn
    assert drawn.count("f-c0") >= 6
