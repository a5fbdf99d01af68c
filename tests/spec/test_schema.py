"""The JSON Schema that editors use."""

from __future__ import annotations

from pathlib import Path

from runner.kinds.resources import kinds
from runner.spec.experiment import Experiment
from runner.spec.schema import schema, schema_text

COMMITTED = Path(__file__).parents[2] / "schemas" / "experiment.schema.json"


def test_the_committed_schema_is_that_of_the_models():
    """`runner schema > schemas/experiment.schema.json` mends it."""
    assert COMMITTED.read_text(encoding="utf-8") == schema_text()


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
