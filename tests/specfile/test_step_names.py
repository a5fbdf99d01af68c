"""`at` names a step that some treatment has, or a level that a search may try."""

import json

import pytest

from runner.errors import SpecError
from runner.specfile import load

SPEC = {
    "schema": "experiment/1", "workload": {"argv": ["x", "{port}", "{a}"]},
    "factors": {"a": ["p", "q"]},
    "load": {"url": "http://127.0.0.1:{port}/", "measure": "9s",
             "steps": [{"connections": 8}, {"connections": 16}]},
}  # fmt: skip
SEARCH = {
    "schema": "experiment/1", "workload": {"argv": ["x", "{port}"]},
    "load": {"url": "http://127.0.0.1:{port}/", "measure": "9s"},
    "healthy": ["load.error_ratio <= 0.1"],
    "search": {"find": "highest healthy connections", "between": [8, 512]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "at", "problem"),
    [
        (SPEC, "16", None),
        (SPEC, "12", "unknown step `12`"),
        (SEARCH, "64", None),
        (SEARCH, "search.level", None),
    ],
)
def test_at(spec, at, problem, tmp_path):
    file = tmp_path / "n.yaml"
    file.write_text(json.dumps({**spec, "metrics": {"m": {"from": "load.rps", "at": at}}}))
    if problem is None:
        load(file)
        return
    with pytest.raises(SpecError, match=problem):
        load(file)
