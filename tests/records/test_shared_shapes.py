"""The agent shares the shapes of programs with the controller, and runs without them."""

import ast
from pathlib import Path

import pytest

import runner.host
from runner.records.facts import amount, table

HOST = Path(runner.host.__file__).parent


@pytest.mark.parametrize("path", sorted(HOST.rglob("*.py")), ids=lambda path: path.name)
def test_the_agent_imports_shapes_for_type_checking_alone(path):
    tree = ast.parse(path.read_text("utf-8"))
    checked = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("runner"):
            assert node in checked, ast.unparse(node)
            assert node.module in ("runner.records.cells", "runner.records.program")


def test_a_fact_is_read_as_what_it_is():
    facts = {"tools": {"wrk": "/usr/bin/wrk"}, "cpu.count": 4, "emulated": True, "load.1m": "low"}
    assert table(facts, "tools") == {"wrk": "/usr/bin/wrk"}
    assert table(facts, "cpu.count") == {}
    assert amount(facts, "cpu.count") == 4
    assert amount(facts, "emulated") is None
    assert amount(facts, "load.1m") is None
    assert amount(facts, "nothing") is None
