"""A program that runs out of its time: a result that counts by its rank, and never drops out."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

from tests.apply.conftest import ROOT
from tests.apply.specs import table_below

LATE = r"""
schema: experiment/1
name: late
workload:
  # the second and third trial of `some` and every one of `all` sleep for longer than there is time
  argv: [sh, -c, 'n=$(cat COUNT/{how} 2>/dev/null || echo 0); echo $((n + 1)) > COUNT/{how}; case {how}$n in all*|some1|some2) exec sleep 30;; esac; sleep 0.05; echo took 50 ms; echo at rate 20']
  run: once
  timeout: 500ms
factors: {how: [never, some, all]}
baseline: {how: never}
repeat: 8
metrics:
  wall: {from: workload.wall, unit: ms, better: lower}
  both: {compute: wall + wall}
  speed: {compute: 1 / wall}
  took: {from: stdout.regex, pattern: 'took (\d+) ms', unit: ms}
  rate: {from: stdout.regex, pattern: 'at rate (\d+)', better: higher}
  plain: {from: stdout.regex, pattern: 'at rate (\d+)'}
claims:
  - {id: slower, quote: all is slower, expect: "wall[how=all] > 2 * wall[how=never]", order_effect: a test}
  - {id: fast, quote: all takes 50 ms, metric: wall, where: {how: all}, published: {high: 100ms}}
  - {id: hidden, quote: all takes 600 ms, metric: wall, where: {how: all}, published: {low: 550ms, high: 650ms}}
  - {id: most, quote: some takes below 300 ms, metric: wall, where: {how: some}, published: {high: 300ms}, margin: {relative: 5%, why: a test}, order_effect: a test}
  - {id: printed, quote: no rate, metric: rate, where: {how: all}, published: {high: 10}}
report: {table: {rows: [how], columns: [wall, wall.mean, wall.n, took, rate]}}
"""  # fmt: skip


def test_a_timeout_counts_by_its_rank(local):
    """The slow treatment does not look fast: `≥ 500 ms`, in table, verdict, comparison, CSV."""
    counts = local.folder / "counts"
    counts.mkdir()
    found = local.apply(local.spec(LATE.replace("COUNT", str(counts))))
    assert {trial["outcome"] for trial in found["trials"]} == {"healthy", "unhealthy"}
    verdicts = {claim["id"]: claim for claim in found["claims"]}
    assert {name: claim["verdict"] for name, claim in verdicts.items()} == {
        "slower": "reproduced", "fast": "contradicted",
        "hidden": "not measured", "most": "inconclusive",
        "printed": "reproduced",
    }  # fmt: skip
    assert "500 ms" in verdicts["hidden"]["reason"]
    assert verdicts["most"]["estimate"] < 0.3

    (folder,) = (local.reports / "late").glob("2*")
    report = (folder / "artifacts" / "report.md").read_text()
    asked = table_below(report, "## Table")
    assert asked["all"][1:] == ["≥ 500 ms", "≥ 500 ms", "8", "–", "–"]
    assert asked["some"][2:] == [asked["some"][2], "8", "50 ms", "20"]
    assert asked["some"][2].startswith("≥ ")
    metrics = [line for line in report.splitlines() if line.startswith("| `")]
    all_ = next(x for x in metrics if "`both`" in x and "how=all" in x and "×" not in x)
    assert "≥ 1 s" in all_
    assert any("`speed`" in line and "≤ 2" in line for line in metrics)
    assert any("8 of 8 ran out of wall time" in line for line in metrics)
    outcomes = table_below(report, "## Outcomes")
    assert [outcomes[f"how={how}"][2] for how in ("never", "some", "all")] == ["0", "2", "8"]

    argv = [sys.executable, "-m", "runner", "export", str(folder), "--to", "csv"]
    exported = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rows = list(csv.DictReader(io.StringIO(exported)))
    of_all = [row for row in rows if (row["metric"], row["factor.how"]) == ("wall", "all")]
    assert [(row["value"], row["censored"]) for row in of_all] == [("0.5", "above")] * 8
    assert {row["censored"] for row in rows if row["factor.how"] == "never"} == {""}

    argv = [sys.executable, "-m", "runner", "compare", f"{folder}:how=never", ":how=all"]
    argv.append("--json")
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    said = {row["metric"]: row for row in json.loads(done.stdout)["rows"]}
    assert (said["wall"]["outcome"], said["wall"]["shown"][1]) == ("worse", "≥ 500 ms")
    assert "b / a is at least" in said["wall"]["why"]
    assert said["rate"]["outcome"] == "worse"
    assert said["plain"]["outcome"] == "not comparable"
