"""Numbers in the unit that a program prints, from its output to report, terminal and CSV."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

from tests.apply.conftest import ROOT

PRINTED = r"""
schema: experiment/1
name: printed
workload: {argv: [sh, -c, "echo '{\"ms\": 9.5, \"ns\": 1200, \"mb\": 3.5, \"pct\": 42, \"n\": 7}'; echo took 12 ms, used 3 MiB"], run: once}
repeat: 6
metrics:
  ms: {from: stdout.json.ms, unit: ms}
  ns: {from: stdout.json.ns, unit: ns}
  mb: {from: stdout.json.mb, unit: MB}
  pct: {from: stdout.json.pct, unit: "%"}
  took: {from: stdout.regex, pattern: 'took (\d+) ms', unit: ms}
  used: {from: stdout.regex, pattern: 'used (\d+) MiB', unit: MiB}
  shown: {from: stdout.json.mb, printed_in: MB, unit: KiB}
  half: {compute: took / 2, unit: us}
  share: {compute: used / mb}
  pages: {from: stdout.json.n, unit: pages, resolution: 1}
claims: [{id: ms, quote: 9.5 ms, metric: ms, published: {value: 9.5ms}, margin: {relative: 5%, why: a test}}]
"""
SHOWN = {
    "ms": "9.5 ms", "ns": "1.2 µs", "mb": "3.5 MB", "pct": "42 %", "took": "12 ms", "used": "3 MiB",
    "shown": "3.34 MiB", "half": "6 ms", "share": "0.899", "pages": "7 pages",
}  # fmt: skip


def test_what_is_printed_keeps_its_unit(local):
    """Values are in base units in the record and in CSV, and shown as the author said."""
    found = local.apply(local.spec(PRINTED))
    (claim,) = found["claims"]
    assert (claim["verdict"], claim["estimate"]) == ("reproduced", 0.0095)
    assert (claim["unit"], claim["shown_in"]) == ("s", "ms")
    (folder,) = (local.reports / "printed").glob("2*")
    report = (folder / "artifacts" / "report.md").read_text()
    for name, shown in SHOWN.items():
        (line,) = [x for x in report.splitlines() if x.startswith(f"| `{name}`")]
        assert line.split("|")[2].strip() == shown
    argv = [sys.executable, "-m", "runner", "export", str(folder), "--to", "csv"]
    exported = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(exported))}
    assert (rows["ns"]["value"], rows["ns"]["unit"], rows["ns"]["shown_in"]) == (
        "1.2e-06",
        "s",
        "ns",
    )
    assert (rows["pct"]["value"], rows["pct"]["unit"]) == ("0.42", "1")
    assert (rows["pages"]["value"], rows["pages"]["unit"]) == ("7.0", "pages")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    (pages,) = [item for item in analysis["estimates"] if item["metric"] == "pages"]
    assert pages["resolution"] == 1


RULES = r"""
schema: experiment/1
name: rules
workload: {argv: [sh, -c, "echo '{\"p99\": 812}'; exec sleep 1"], run: once, cgroup: {memory.max: 64MiB}}
healthy: [procfs.rss <= 64KiB, cgroup.oom_kills < procfs.threads, stdout.json.p99 <= 500]
guards: [board.throttled.gained == none]
metrics: {rss: {from: procfs.rss}}
"""


def test_rules_say_both_sides_in_their_unit(local):
    """Never `was 9.77428e+07`; and a guard on a sensor that is absent is said to guard nothing."""
    done = local("apply", str(local.spec(RULES)))
    said = done.stderr
    line = next(x for x in said.splitlines() if "procfs.rss <= 64KiB" in x)
    assert line.split("was ")[1].split(" ")[1] in ("KiB", "MiB")
    assert "stdout.json.p99 <= 500 — was 812" in said
    guard = [x for x in said.splitlines() if "board.throttled.gained" in x]
    (folder,) = (local.reports / "rules").glob("2*")
    facts = json.loads((folder / "facts.json").read_text())
    if facts["local"].get("board.throttled") is None:
        assert "unguarded: " in guard[0]
        assert "unguarded" in (folder / "artifacts" / "report.md").read_text()
