"""The order that was drawn is stored, and is the one in which trials are run."""

from __future__ import annotations

import json

import pytest

SPEC = """\
schema: experiment/1
name: ordered
hosts: {{server: local}}
factors: {{word: [a, b, c]}}
workload: {{argv: [sh, -c, "echo {{word}}$$"], run: once}}
repeat:
  between: [2, 4]
  stop_when: {{half_width: 1%}}
  order: {{by: {by}, seed: 11}}
metrics:
  length: {{from: stdout.regex, pattern: '(?P<n>\\w+)'}}
"""


@pytest.mark.parametrize("by", ["interleaved", "random"])
def test_trials_run_in_the_order_that_was_drawn(local, by):
    """Words that differ have no interval for the stop rule: all four repetitions are run."""
    local.apply(local.spec(SPEC.format(by=by)))
    (folder,) = (local.reports / "ordered").glob("2*")
    run = json.loads((folder / "run.json").read_text())
    drawn = [(repetition, levels["word"]) for repetition, levels in run["order"]["slots"]]
    ran = [(trial["repetition"], trial["treatment"]["word"]) for trial in run["trials"].values()]
    assert ran == drawn
    assert len(ran) == 12
    assert run["order"]["by"] == by
    if by == "interleaved":
        assert "".join(word for _, word in drawn) == "abcbcacababc"
    else:
        assert [repetition for repetition, _ in drawn[:6]] != [1, 1, 1, 2, 2, 2]
        assert [repetition for repetition, _ in drawn[6:]] == [3, 3, 3, 4, 4, 4]
