"""Outcomes as data: texts that are counted, rules with patterns, and how trials ended."""

from __future__ import annotations

import json

import pytest

SPEC = r"""
schema: experiment/1
name: verdicts
factors: {tool: [good, wrong, slow, crash, three]}
workload:
  argv: [python3, tool.py, "{tool}"]
  cwd: "CWD"
  run: once
  within: 2s
healthy:
  - stdout matches '^Solution Validates$'
  - not stderr matches 'le[a]k'
repeat: 2
metrics:
  verdict: {from: stdout.regex, pattern: '^answer (\S+)', kind: text}
claims:
  - {id: same, quote: both find it, expect: "verdict[tool=good] == 'TRUE'", estimand: always, bound: 1 in 2}
  - {id: differ, quote: they differ, expect: "verdict[tool=wrong] == 'TRUE'", estimand: always, bound: 1 in 2}
"""
TOOL = """
import os, signal, sys, time
which = sys.argv[1]
print("answer", "TRUE" if which == "good" else 17 if which == "three" else "FALSE", flush=True)
if which == "slow":
    time.sleep(60)
if which == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if which == "three":
    sys.exit(3)
print("Solution Validates" if which == "good" else "no solution validates")
"""


def test_texts_are_counted_and_ends_are_told_apart(local, tmp_path):
    (tmp_path / "tool.py").write_text(TOOL)
    data = local.apply(local.spec(SPEC.replace("CWD", str(tmp_path))), code=None)
    (folder,) = (local.reports / "verdicts").glob("2*")
    report = (folder / "artifacts" / "report.md").read_text()
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    outcomes = {trial["treatment"]["tool"]: trial["outcome"] for trial in analysis["trials"]}
    assert outcomes["good"] == "healthy"
    assert outcomes["wrong"] == "unhealthy"
    lines = [line.replace(" ", "") for line in report.splitlines()]
    assert "|`verdict`|tool=good|TRUE|2of2|" in lines
    assert "|`verdict`|tool=three|17|2of2|" in lines
    (head,) = [line for line in lines if line.startswith("|treatment|healthy|")]
    kinds = head.strip("|").split("|")
    rows = {
        line.strip("|").split("|")[0]: dict(zip(kinds, line.strip("|").split("|"), strict=True))
        for line in lines[lines.index(head) + 2 :][:5]
    }
    ended = {"good": "healthy", "wrong": "wrong", "slow": "timeout", "three": "exitcode3",
             "crash": "crashed(SIGSEGV)"}  # fmt: skip
    for tool, kind in ended.items():
        assert rows[f"tool={tool}"][kind] == "2", rows
    verdicts = {claim["id"]: claim["verdict"] for claim in data["claims"]}
    assert verdicts["differ"] == "contradicted"
    assert verdicts["same"] != "contradicted"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("kind: text", "kind: text, unit: ms"), "a text has no `unit`"),
        (("kind: text", "kind: text, statistic: mean"), "texts have no mean"),
        (("matches '^Solution Validates$'", "matches Validates"), "a pattern stands in quotes"),
        (("le[a]k", "le(ak"), "is not a regular expression"),
    ],
)
def test_what_a_text_cannot_be_is_refused(local, tmp_path, change, said):
    done = local("validate", str(local.spec(SPEC.replace(*change))), code=3)
    assert said in done.stdout + done.stderr
