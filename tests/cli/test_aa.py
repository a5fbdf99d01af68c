"""`runner apply --aa`: the exit code and a page say how often this host finds what is not there."""

import re

from tests.cli.command import alone

SPEC = """\
schema: experiment/1
name: same
workload: {argv: ["printf", "1"], run: once}
repeat: {between: [2, 3]}
metrics:
  wall: {from: workload.wall, unit: ms}
"""


def run(folder, *words, code):
    (folder / "same.yaml").write_text(SPEC)
    return alone(folder, "apply", "same.yaml", *words, code=code)


def test_the_rate_is_said_with_its_interval_and_has_a_page(tmp_path):
    """Six blocks an experiment, since fewer could find nothing."""
    done = run(tmp_path, "--aa", "2", code=0)
    assert re.search(r"A against A, 2 experiments of 6 blocks: [012] of 2 \(", done.stdout)
    (record,) = (tmp_path / "reports" / "same").iterdir()
    page = (record / "artifacts" / "aa.md").read_text()
    assert re.search(r"\| `wall` +\| – +\| +[012] of 2 \|", page)


def test_too_few_experiments_and_two_questions_are_refused(tmp_path):
    assert "from 2 to" in run(tmp_path, "--aa", "1", code=3).stderr
    assert "two questions" in run(tmp_path, "--aa", "2", "--against", "HEAD", code=3).stderr
