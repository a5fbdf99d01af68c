"""Each fixture: a payload, what is known of a host, and the cells or the answer."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from runner.kinds.resources import kinds, kinds_table
from runner.kinds.resources.interface import Refused, Skipped, Unknown
from runner.spec.system import _plain

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(FIXTURES.glob("*/*.json"))


def answer(kind, case):
    try:
        payload = kind.Model.model_validate(case["payload"])
    except ValidationError as error:
        return {"invalid": error.errors()[0]["msg"].removeprefix("Value error, ")}
    planned = kind.plan(payload, case["facts"], case["values"])
    if isinstance(planned, Skipped):
        return {"skipped": planned.why}
    if isinstance(planned, Unknown):
        return {"unknown": planned.depends_on}
    if isinstance(planned, Refused):
        return {"refused": planned.why, "fix": planned.fix}
    return {"cells": [cell.to_json() for cell in planned]}


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_answer(path):
    case = json.loads(path.read_text())
    assert answer(kinds()[path.parent.name], case) == case["expect"]


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_payload_is_written_as_it_is_read(path):
    """A treatment is the experiment written, overlaid by its factors' levels, and read again."""
    case = json.loads(path.read_text())
    if "invalid" in case["expect"]:
        return
    model = kinds()[path.parent.name].Model
    payload = model.model_validate(case["payload"])
    for written in (
        payload.model_dump(by_alias=True, exclude_unset=True),
        json.loads(json.dumps(_plain(payload.model_dump(by_alias=True, exclude_none=True)))),
    ):
        assert model.model_validate(written) == payload


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_candidates_are_readable_without_facts(path):
    """What is read in the probe needs no fact, has no desired value and an id of its own."""
    case = json.loads(path.read_text())
    kind = kinds()[path.parent.name]
    if "invalid" in case["expect"]:
        return
    cells = kind.candidates(kind.Model.model_validate(case["payload"]))
    assert all("want" not in cell for cell in cells)
    assert len({cell["id"] for cell in cells}) == len(cells)


SHORT = {
    "transparent_hugepage": "madvise",
    "cpu_frequency": "1GHz",
    "nofile": 100,
    "packages": "wrk",
}


@pytest.mark.parametrize("name", SHORT)
def test_schema_knows_the_short_form(name):
    """An editor must not mark what the tool accepts."""
    model = kinds()[name].Model
    model.model_validate(SHORT[name])
    schema = model.model_json_schema()
    said = json.dumps(schema["anyOf"])
    assert ('"integer"' if isinstance(SHORT[name], int) else '"string"') in said


def test_every_kind_has_a_fixture():
    assert {path.parent.name for path in CASES} == set(kinds())


def test_models_are_frozen():
    for kind in kinds().values():
        assert kind.Model.model_config.get("frozen"), kind.name


def test_table_in_docs_is_the_generated_one():
    text = (Path(__file__).parents[3] / "docs" / "kinds.md").read_text()
    assert kinds_table() in text
