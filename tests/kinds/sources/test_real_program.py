"""A real Go program, run now: its pages and traces through the parsers."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from runner.kinds.sources import parsers
from runner.kinds.sources.interface import Page, Printed
from runner.toolchain import BuildRequest, build, default_cache_dir, resolve

PAGES = ("debug/vars", "metrics", "runtime")


@pytest.fixture(scope="module", params=["1.22.10", "1.26.6"])
def printed(request):
    """The oldest Go that the project measures, and a new one."""
    cache = default_cache_dir()
    made = build(
        BuildRequest(Path(__file__).parent / "program", env={"CGO_ENABLED": "0"}),
        resolve(request.param, cache),
        cache,
    )
    began = time.monotonic()
    process = subprocess.Popen(
        [str(made.path)], env={**os.environ, "GODEBUG": "gctrace=1,scavtrace=1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline()
    base = f"http://127.0.0.1:{json.loads(said)['port']}/"

    def get(name: str) -> str:
        with urllib.request.urlopen(base + name, timeout=10) as answer:
            return answer.read().decode()

    pages = tuple(Page(name, get(name)) for name in PAGES)
    get("quit")
    _, err = process.communicate(timeout=10)
    span = (0.0, time.monotonic() - began)
    return Printed(said, err, pages, span, stderr_within=err)


def test_what_several_sources_say_of_one_process_agrees(printed):
    found = {}
    said = replace(printed, asked=("expvar.served", "prometheus.answers_total"))
    for parser in parsers().values():
        found |= parser.parse(said).numbers
    cycles = found["gctrace.count"]
    assert cycles >= 3
    assert found["memstats.NumGC"] == found["runtime.gc_cycles_total_gc_cycles"] == cycles
    assert found["scavtrace.released_now"] > 0
    pauses = found["memstats.pause_mean"] * cycles
    assert found["gctrace.pause_total"] == pytest.approx(pauses, rel=0.5)
    assert found["runtime.memory_classes_heap_objects_bytes"] == pytest.approx(
        found["memstats.HeapAlloc"], rel=0.1
    )
    assert found["expvar.served"] == 7
    assert found["prometheus.answers_total"] == 42
    assert found["runtime.gc_stack_starting_size_bytes"] == 2048
