"""Think time, as a user asks for it: connections that pause are not connections that wait."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.apply.specs import spec

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def test_a_pause_longer_than_the_timeout_is_no_error(local, unchanged):
    """Four connections ask every 1.2 s, and each is answered: a timeout of 1 s says nothing."""
    healthy = "healthy: [load.error_ratio == 0, load.unanswered == 0, load.established == 4]\n"
    text = spec(seconds=4, more=healthy).replace("  timeout: 1s", "  timeout: 1s\n  think: 1200ms")
    (trial,) = local.apply(local.spec(text), code=None)["trials"]
    assert trial["outcome"] == "healthy", trial
    (folder,) = (local.reports / "small").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    numbers = analysis["trials"][0]["steps"][0]["numbers"]
    assert 4 <= numbers["load.requests"] <= 16
    assert numbers["load.latency_p50"] < 1
