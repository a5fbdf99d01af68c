"""The JSON Schema that editors use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from runner.kinds.resources import kinds
from runner.spec.experiment import Experiment
from runner.spec.schema import schema, schema_text

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "schemas" / "experiment.schema.json"
SHIPPED = [
    path
    for folder in ("experiments", "templates/init")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if "schema: experiment/1" in path.read_text("utf-8")
]


class Loader(yaml.SafeLoader):
    """Secrets are texts, and dates too."""


Loader.add_multi_constructor("!", lambda *_: "x")
Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


def test_the_committed_schema_is_that_of_the_models():
    """`runner schema > schemas/experiment.schema.json` mends it."""
    assert COMMITTED.read_text(encoding="utf-8") == schema_text()


def _untold(node: object, path: str = "") -> list[str]:
    """Keys without a text that an editor could show."""
    if isinstance(node, list):
        return [found for item in node for found in _untold(item, path)]
    if not isinstance(node, dict):
        return []
    keys = node.get("properties")
    told = keys if isinstance(keys, dict) else {}
    found = [f"{path}.{name}" for name, key in told.items() if "description" not in key]
    return found + [more for name, item in node.items() for more in _untold(item, f"{path}/{name}")]


def test_every_key_has_a_text_for_who_hovers_over_it():
    assert _untold(schema()) == []


def test_every_key_of_the_language_is_in_it():
    found = schema()
    aliases = {field.alias or name for name, field in Experiment.model_fields.items()}
    assert set(found["properties"]) == aliases
    assert found["additionalProperties"] is False
    assert set(found["$defs"]["System"]["properties"]) == set(kinds())


def test_every_reference_leads_somewhere():
    found = schema()

    def references(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(found):
        assert reference.startswith("#/$defs/")
        assert reference.removeprefix("#/$defs/") in found["$defs"], reference


def test_metrics_repeat_and_numbers_are_typed_and_every_section_has_a_text():
    """An editor completes their keys: no form of them is just any mapping."""
    found = schema()

    def forms(node):
        if "$ref" in node:
            node = found["$defs"][node["$ref"].removeprefix("#/$defs/")]
        for form in node.get("anyOf", [node]):
            yield from forms(form) if "$ref" in form else [form]

    sections, claim = found["properties"], found["$defs"]["Claim"]["properties"]
    for node, key in ((sections["metrics"]["additionalProperties"], "from"),
                      (sections["requires"]["additionalProperties"], "at_least"),
                      (sections["repeat"], "between"), (claim["published"], "low")):  # fmt: skip
        mappings = [form for form in forms(node) if form.get("type") == "object"]
        assert mappings
        for form in mappings:
            assert form["additionalProperties"] is False
            assert key in form["properties"]
    assert [name for name, section in sections.items() if not section.get("description")] == []


@pytest.fixture(scope="module")
def validator():
    return Draft202012Validator(json.loads(COMMITTED.read_text("utf-8")))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_editor_marks_nothing_in_a_shipped_spec(path, validator):
    spec = yaml.load(path.read_text("utf-8"), Loader)
    assert [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(spec)] == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"load": {"connections": "many"}}, "$.load"),
        ({"repeat": {"between": [1, 2], "attempt": 3}}, "$.repeat"),
        ({"metrics": {"m": {"form": "load.rps"}}}, "$.metrics.m"),
        ({"sample": {"hz": True}}, "$.sample"),
        ({"load": {"cooldown": {"until": True}}}, "$.load"),
        ({"load": {"cooldown": {"until": {"time_wait_below": True}}}}, "$.load"),
        ({"workload": {"argv": ["x"], "cgroup": True}}, "$.workload"),
        ({"factors": {"a": {"p": {"load": True}}}}, "$.factors"),
        ({"factors": {"a": {"p": {"wrkload": {}}}}}, "$.factors"),
    ],
)
def test_an_editor_marks_what_is_wrong(change, place, validator):
    spec = {"schema": "experiment/1", "workload": {"argv": ["x"]}, **change}
    found = [error.json_path for error in validator.iter_errors(spec)]
    assert found
    assert all(path.startswith(place) for path in found)
