"""JSON Schema of the spec language, for editors."""

from __future__ import annotations

import json
from typing import Any

from runner.spec.experiment import Experiment

ID = "experiment/1"


def json_schema() -> dict[str, Any]:
    """Give the schema of a spec as a user writes it, shorthands included.

    Every value may also be a text with `{{ variables }}`, which a schema cannot
    tell from a wrong one; editors mark those where the type is no text.
    """
    schema = Experiment.model_json_schema(by_alias=True, mode="validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = ID
    schema["title"] = "An experiment"
    return schema


def schema_text() -> str:
    """Write the schema as it is committed in schemas/experiment.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
