"""Every methodology fault of the article is a rule, and its own recipe trips each."""

import json
from pathlib import Path

import pytest

from tests.cli.command import ROOT, runner

# fault → the chapter's spec that has it
FAULTS = {
    "cgroup-tasks-name": "",
    "ulimit-v-kib": "-pages",
    "gcflags-l-disables-inlining": "",
    "gcflags-main-only": "",
    "wrk-threads-floor": "",
    "health-rule-missing": "-ladder",
    "health-timeouts-only": "",
    "single-level-maximum": "",
    "rss-is-not-memcg": "",
    "runtime-mismatch": "-ladder",
    "memory-exceeds-board": "-ladder",
    "ladder-not-geometric": "-ladder",
    "fractional-allocs": "-bench",
    "pause-without-gc": "-bench",
    "cgo-noop-cross-build": "-trimming",
    "unclosed-body": "-bench",
    "hugetlb-is-not-thp": "-pages",
    "hugetlb-escapes-memcg": "-pages",
    "swappiness-without-swap": "",
    "unit-mb-mib": "",
    "no-repetitions": "",
    "corrected-latency": "",
    "client-shares-host": "",
    "step-too-short": "-ladder",
    "nofile-too-low": "-ladder",
    "page-cache-charged": "",
}
SPECS = sorted((ROOT / "experiments/published/go-under-32mb").glob("article-as-printed*.yaml"))


@pytest.fixture(scope="module")
def findings():
    said = json.loads(runner("lint", *SPECS, "--json", code=1).stdout)
    return {
        Path(one["spec"]).stem.removeprefix("article-as-printed"): one["findings"] for one in said
    }


@pytest.mark.parametrize("rule", FAULTS)
def test_the_articles_recipe_trips_the_rule(rule, findings):
    assert rule in {found["rule"] for found in findings[FAULTS[rule]]}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("cgroup-tasks-name", "writes a name where the kernel takes a pid"),
        ("ulimit-v-kib", "32 GiB of address space"),
        ("wrk-threads-floor", "wrk -t4 -c87 opens 84 connections"),
        ("memory-exceeds-board", "5.1 GB do not fit a board with 4 GB"),
        ("memory-exceeds-board", "asks for 6 GiB"),
        ("ladder-not-geometric", "100 → 1000 → 5000 → 10000"),
        ("fractional-allocs", "12.3 cannot have been printed"),
        ("step-too-short", "60 s hold 3 GC cycles"),
        ("nofile-too-low", "12512 are needed"),
        ("unit-mb-mib", "divides by 1024² and says MB"),
    ],
)
def test_the_finding_names_the_fault(rule, said, findings):
    messages = [f["message"] for f in findings[FAULTS[rule]] if f["rule"] == rule]
    assert any(said in message for message in messages), messages


def test_as_printed_is_never_run(tmp_path):
    """Its first lines write to the root cgroup of the host."""
    done = runner("apply", SPECS[0], "--state-dir", tmp_path, reports=tmp_path, code=3)
    assert "is to be read and linted, not to be run" in done.stderr
    assert not list(tmp_path.iterdir())


def test_its_numbers_are_those_of_other_specs():
    assert json.loads(runner("claims", SPECS[0], "--json").stdout) == []
    assert "it is never run" in runner("verify", SPECS[0]).stderr


def test_the_specs_that_run_have_no_error_without_a_reason():
    own = [
        path
        for path in SPECS[0].parent.glob("*.yaml")
        if not path.stem.startswith("article-as-printed")
    ]
    own = [path for path in own if "experiment/1" in path.read_text("utf-8")]
    assert len(own) > 20
    runner("lint", *sorted(own), code=0)
