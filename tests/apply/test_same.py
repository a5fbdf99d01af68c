"""One answer, whichever tool gives it: a claim over all levels of a factor, by programs that run."""

from __future__ import annotations

SAME = r"""
schema: experiment/1
name: same
workload:
  argv: [sh, -c, 'n=3; case {tool}{task} in wrongb) n=4;; esac; echo {task}; echo answer $n']
  run: once
factors: {tool: [one, other, wrong], task: [a, b]}
repeat: 9
metrics:
  output: stdout.sha256
  answer: {from: stdout.regex, pattern: 'answer (\w+)', kind: text}
  number: {from: stdout.regex, pattern: 'answer (\w+)'}
claims:
  - {id: all, quote: q, same: {metric: answer, across: tool}}
  - {id: a, quote: q, same: {metric: output, across: tool}, where: {task: a}}
  - {id: tasks, quote: q, same: {metric: output, across: task}}
  - {id: numbers, quote: q, same: {metric: number, across: task}, where: {tool: other}}
  - {id: always, quote: q, same: {metric: answer, across: tool}, estimand: always, bound: 1 in 2}
"""


def test_what_differs_is_named(local):
    found = local.apply(local.spec(SAME))
    claims = {claim["id"]: claim for claim in found["claims"]}
    assert {name: claim["verdict"] for name, claim in claims.items()} == {
        "all": "contradicted", "a": "reproduced", "tasks": "contradicted",
        "numbers": "reproduced", "always": "contradicted",
    }  # fmt: skip
    said = claims["all"]["reason"]
    assert "tool=wrong differs from tool=one (task=b) in 9 of 9 blocks: `4`, not `3`" in said
    assert "tool=other" not in said
    assert "differs" not in claims["a"]["reason"]
    assert claims["tasks"]["reason"].count("task=b differs from task=a") == 3
    (folder,) = (local.reports / "same").glob("2*")
    report = (folder / "artifacts" / "report.md").read_text()
    assert "answer is the same across tool" in report


def test_what_cannot_be_compared_is_refused(local):
    """Each at its place."""
    for claim, said in (
        ("same: {metric: nswer, across: tool}", "did you mean `answer`"),
        ("same: {metric: answer, across: tol}", "unknown factor `tol`; did you mean `tool`"),
        ("same: {metric: answer, across: tool}, where: {tool: one}", "nothing is left to compare"),
        ("same: {metric: answer, across: tool}, expect: answer == 3", "make two claims"),
        ("same: {metric: answer, across: tool}, metric: answer, estimand: always, bound: 1 in 9",
         "`always` is of a statement"),
    ):  # fmt: skip
        text = SAME.split("claims:", maxsplit=1)[0] + f"claims:\n  - {{id: x, quote: q, {claim}}}\n"
        done = local("validate", str(local.spec(text)), code=3)
        assert said in done.stdout + done.stderr
