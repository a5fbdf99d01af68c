"""The canonical form of a spec: everything filled in, and its hash."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment

SAID_ONLY = ("title", "description", "source", "metrics", "claims", "report", "lint", "vars")
"""Sections that change what is said of a run, and not the run itself."""
CLAIMED = ("metrics", "claims", "repeat", "search")
"""Sections that have to be fixed before the data: a change of them after it is reported."""


def expand(exp: Experiment) -> dict[str, Json]:
    """Give the spec as JSON data, defaults included; equal specs give equal data.

    Secrets are named by their source, never by their text.
    """
    found: dict[str, Json] = exp.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def canonical_json(data: object) -> str:
    """Write JSON in one way only: sorted keys, no spaces, UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash(data: object) -> str:
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()


def spec_hash(exp: Experiment) -> str:
    """SHA-256 of the whole expanded spec: what was fixed before the data."""
    return _hash(expand(exp))


def run_hash(exp: Experiment) -> str:
    """SHA-256 of what decides the trials: a claim or a title may change without it."""
    return _hash({key: value for key, value in expand(exp).items() if key not in SAID_ONLY})


def claims_hash(exp: Experiment) -> str:
    """SHA-256 of claims, metrics and repetitions: a change after the data is to be reported."""
    data = expand(exp)
    return _hash({key: data.get(key) for key in CLAIMED})
