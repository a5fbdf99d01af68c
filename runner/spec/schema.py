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
SHOWN = ("title", "description", "default")
WORD = {
    "type": "string",
    "pattern": r"^\{[A-Za-z_]\w*\}$|\{\{.*\}\}",
    "description": "The word of a factor, as {size}, or {{ a variable }}",
}
"""What may stand for a number."""


def schema() -> dict[str, object]:
    """Give the schema of a spec as a user writes it, shorthands included.

    Every number may also be what stands for one: the `{word}` of a factor, or a text with
    `{{ variables }}`.
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
    whole: dict[str, Any] = _with_words(found)
    whole["$defs"]["Word"] = WORD
    return whole


def _with_words(node: Any) -> Any:
    """Let a word stand for each number; what an editor shows of the number stays where it is."""
    if isinstance(node, list):
        return [_with_words(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") not in ("integer", "number"):
        return {name: _with_words(item) for name, item in node.items()}
    shown = {name: node[name] for name in SHOWN if name in node}
    number = {name: item for name, item in node.items() if name not in SHOWN}
    return {**shown, "anyOf": [number, {"$ref": "#/$defs/Word"}]}


def schema_text() -> str:
    """Write the schema as it is committed in schemas/experiment.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
