"""docs/verdicts.md: three verdicts recomputed in plain numpy are those of `runner verify`."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.command import SPEC, runner

ROOT = Path(__file__).parents[2]


def test_the_lines_of_the_page_give_the_verdicts(monkeypatch):
    page = (ROOT / "docs" / "verdicts.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(ROOT)
    found = {}
    exec(compile(code, "docs/verdicts.md", "exec"), found)
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    claims = json.loads(runner("verify", SPEC, "--json").stdout)[0]["claims"]
    assert [found["first"], found["second"], found["third"]] == [
        claim["verdict"] for claim in claims[:3]
    ]
    assert claims[1]["interval"] == pytest.approx([found["low"], found["high"]])
    assert f"p = {found['p'] * 3:.2g}" in claims[2]["reason"]
    assert {claim["n"] for claim in claims[:3]} == {found["n"]}
