"""`compare`: two recorded runs, and two treatments of one."""

import json

import pytest

from tests.cli.command import FIRST, SECOND, copied, runner


def test_two_runs_of_the_same_are_equivalent():
    said = json.loads(runner("compare", FIRST, SECOND, "--json", "--fail-on-regression").stdout)
    assert [row["outcome"] for row in said["rows"]] == ["equivalent", "equivalent"]
    assert [row["test"] for row in said["rows"]] == ["labels over repetitions, max-T"] * 2
    assert said["environment"] == []


@pytest.mark.parametrize("a", ["mb=10", "10"])
def test_treatments_of_a_run_are_paired_by_repetition(a):
    said = json.loads(runner("compare", f"{FIRST}:{a}", ":mb=20", "--json").stdout)
    (row,) = said["rows"]
    assert row["outcome"] == "worse"
    assert row["test"] == "signs over blocks, max-T"
    assert row["n"] == [6, 6]
    assert 1.3 < row["ratio"] < 1.6
    assert row["p"] == row["p_adjusted"] == 2 / 2**6
    assert (said["tests"], said["alpha"]) == (1, 0.05)
    assert {"name": "factor.mb", "a": "10", "b": "20"} in said["environment"]


def test_a_regression_fails_only_where_asked():
    runner("compare", f"{FIRST}:10", ":20")
    runner("compare", f"{FIRST}:10", ":20", "--fail-on-regression", code=1)
    runner("compare", f"{FIRST}:20", ":10", "--fail-on-regression")


def test_a_wide_threshold_makes_it_equivalent():
    done = runner("compare", f"{FIRST}:10", ":20", "--threshold", "80%", "--fail-on-regression")
    assert "= equivalent" in done.stdout


def test_environment_comes_before_the_metrics(tmp_path):
    reports = copied(tmp_path)
    facts = reports / "sizes" / SECOND / "facts.json"
    known = json.loads(facts.read_text())
    known["local"] |= {"kernel.release": "0.0.0-other", "uptime_s": 1.0}
    facts.write_text(json.dumps(known))
    page = runner("compare", FIRST, SECOND, "--markdown", reports=reports).stdout
    assert page.index("0.0.0-other") < page.index("## Metrics")
    assert "uptime" not in page


def test_markdown_is_a_table():
    page = runner("compare", f"{FIRST}:10", ":20", "--markdown").stdout
    assert page.startswith(f"# {FIRST}:10 → {FIRST}:20\n")
    assert "| ✗ worse" in page
    head = next(line for line in page.splitlines() if line.startswith("| metric"))
    for column in ("b / a", "90 % interval", "p", "p (all)", "n", "result"):
        assert f" {column} " in head
    assert "Better and worse: p ≤ 0.05" in page


def test_the_correction_is_said_where_there_are_several_tests():
    for options in (["--markdown"], []):
        said = runner("compare", FIRST, SECOND, *options).stdout
        assert "among 2 tests (permutation, max-T)" in said
        assert "need not be the ratio of the medians" in said
        assert "what another session of the same program is worth" in said.replace("Two", "two")


def test_benchfmt_has_a_line_per_repetition_and_a_side_to_compare_by():
    text = runner("compare", f"{FIRST}:10", ":20", "--format", "benchfmt").stdout
    lines = text.splitlines()
    assert sum(line.startswith("BenchmarkSizes 1 ") for line in lines) == 12
    assert lines.index("side: a") < lines.index("side: b")
    assert "Unit rss better=lower" in lines


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((f"{FIRST}:30", ":20"), 2, "no treatment `30`"),
        ((":10", ":20"), 3, "names no run"),
        (("absent", FIRST), 2, "no run `absent`"),
        ((FIRST, SECOND, "--threshold", "many"), 3, "--threshold"),
    ],
)
def test_wrong_words(words, code, said):
    assert said in runner("compare", *words, code=code).stderr


def test_compare_annotates_what_got_worse_for_a_pull_request(tmp_path):
    done = runner("compare", f"{SECOND}:mb=10", ":mb=20", "--format", "github", "--fail-on-regression",
                  code=None, GITHUB_STEP_SUMMARY=tmp_path / "summary.md")  # fmt: skip
    worse = "✗ worse" in (tmp_path / "summary.md").read_text()
    assert done.returncode == int(worse)
    assert ("::error " in done.stdout) == worse
