"""JSON Schema of the spec language, for editors."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from runner.kinds.resources import kinds
from runner.spec.experiment import Experiment
from runner.spec.keys import EFFECTS
from runner.spec.system import System

ID = "experiment/1"


def schema() -> dict[str, object]:
    """Give the schema of a spec as a user writes it, shorthands included.

    Every value may also be a text with `{{ variables }}`, which a schema cannot
    tell from a wrong one; editors mark those where the type is not text.
    """
    system: Any = System.model_json_schema(by_alias=True)
    found = Experiment.model_json_schema(by_alias=True, mode="validation")
    found["$defs"]["System"] = system
    for name, kind in kinds().items():
        payload = TypeAdapter(kind.Model).json_schema(
            by_alias=True, ref_template=f"#/$defs/{name}.{{model}}"
        )
        for part, inner in payload.pop("$defs", {}).items():
            found["$defs"][f"{name}.{part}"] = inner
        payload["description"] = kind.doc
        system["properties"][name] = payload
    for name, effect in EFFECTS.items():
        found["properties"][name].setdefault("description", effect)
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["$id"] = ID
    found["title"] = "An experiment"
    return found


def schema_text() -> str:
    """Write the schema as it is committed in schemas/experiment.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
