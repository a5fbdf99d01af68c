"""A server with workers: they are the workload, and not others on the host."""

from __future__ import annotations

import shutil

import pytest

from tests.apply.specs import spec

pytestmark = [
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.timeout(120),
]


def test_workers_are_the_workload(local):
    """Its child serves: CPU and memory are of both, `procfs.*` of the first process alone."""
    (trial,) = local.apply(local.spec(spec("fork", seconds=3)), code=None)["trials"]
    numbers = trial["steps"][0]["numbers"]
    assert numbers["tree.processes"] == 2
    own = numbers["tree.user_cpu"] + numbers["tree.system_cpu"]
    first = numbers["procfs.user_cpu"] + numbers["procfs.system_cpu"]
    assert own > first + 0.2
    assert numbers["tree.rss"] > numbers["procfs.rss"]
    assert numbers["tree.pss"] is not None
