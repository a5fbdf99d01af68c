"""Servers that serve nothing, or not enough, are never healthy, whatever loads them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.apply.specs import unserved

SERVERS = Path(__file__).with_name("unhealthy_servers.py")
MORE = Path(__file__).with_name("more_servers.py")
GENERATORS = ("wrk", "h2load", "vegeta")
pytestmark = pytest.mark.timeout(180)


def run(local, mode: str, generator: str, **more) -> dict:
    if generator != "vegeta" and shutil.which(generator) is None:
        pytest.skip(f"{generator} is not installed")
    (trial,) = local.apply(local.spec(unserved(mode, generator, **more)), code=None)["trials"]
    return trial


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("mode", ["redirect", "hang", "slow", "status", "early"])
def test_no_step_is_healthy_and_each_says_why(local, mode, generator):
    trial = run(local, mode, generator)
    assert trial["outcome"] == "unhealthy"
    assert "load.error_ratio <= 0.001 (was" in trial["why"]
    numbers = trial["steps"][0]["numbers"]
    if mode in ("redirect", "status"):
        assert numbers["load.good"] == 0
        assert numbers["load.errors.status"] == numbers["load.requests"] > 0
        assert "load.good > 0 (was 0: no answer was good)" in trial["why"]
    if mode == "slow":
        assert "no request was answered" in trial["why"]
    if mode in ("hang", "slow") and generator != "vegeta":
        assert numbers["load.unanswered"] > 1


@pytest.mark.parametrize("generator", GENERATORS)
def test_bodies_that_end_by_close_count_where_they_can_be_read(local, generator):
    """h2load reads none, wrk calls each a read error: neither is healthy; vegeta reads them."""
    trial = run(local, "close10", generator)
    good = trial["steps"][0]["numbers"]["load.good"]
    assert (trial["outcome"] == "healthy") == (generator == "vegeta")
    assert (good > 0) == (generator != "h2load")


@pytest.mark.parametrize("generator", GENERATORS)
def test_an_answer_is_good_as_expect_has_it(local, generator):
    """What is asked for is what is good: a server that redirects everything is healthy then."""
    trial = run(local, "redirect", generator, load="expect: {status: [200, 302]}")
    numbers = trial["steps"][0]["numbers"]
    assert numbers["load.errors.status"] == 0
    assert numbers["load.good"] > 0


def unhealthy(local, mode: str, generator: str) -> dict:
    trial = run(local, mode, generator, servers=MORE)
    assert trial["outcome"] == "unhealthy"
    assert "load.error_ratio <= 0.001 (was" in trial["why"]
    return trial


def test_a_load_program_without_json_says_what_it_printed(local):
    argv = json.dumps([sys.executable, "-c", "print('usage: bench URL')"])
    text = unserved("status", "command", load=f"argv: {argv}")
    (trial,) = local.apply(local.spec(text), code=None)["trials"]
    assert trial["outcome"] == "invalid"
    assert "printed no JSON object; it printed: usage: bench URL" in trial["why"]


@pytest.mark.parametrize(
    ("mode", "generator"),
    [
        ("silent", "wrk"), ("slow", "h2load"), ("short", "vegeta"), ("header", "h2load"),
        ("reset", "wrk"), ("first50", "h2load"), ("half", "wrk"), ("endless", "vegeta"),
        ("garbage", "h2load"), ("body", "wrk"), ("rare", "vegeta"), ("rare", "wrk"),
    ],
)  # fmt: skip
def test_no_way_of_serving_too_little_is_healthy(local, mode, generator):
    trial = unhealthy(local, mode, generator)
    numbers = trial["steps"][0]["numbers"]
    if mode == "rare":
        assert numbers["load.errors.status"] == numbers["load.errors"] > 0
        assert numbers["load.error_ratio"] == pytest.approx(0.01, abs=0.005)


@pytest.mark.parametrize(
    ("mode", "generator"),
    [
        ("one10", "wrk"), ("one10", "h2load"), ("slowaccept", "wrk"), ("slowaccept", "h2load"),
        ("backlog", "wrk"), ("backlog", "h2load"),
        # wrk opens what was closed again, until it is served
        ("refuse10", "h2load"),
    ],
)  # fmt: skip
def test_clients_that_are_not_served_count_however_fast_the_others_are(local, mode, generator):
    """One connection makes all the answers: next to no error among them, nine dead clients."""
    trial = unhealthy(local, mode, generator)
    numbers = trial["steps"][0]["numbers"]
    assert numbers["load.good"] > 100
    assert "of 10 connections were left without an answer" in trial["why"]
    assert numbers["load.error_ratio"] >= 0.1


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(("mode", "expect", "good"), [
    ("204", "", True), ("301", "", False), ("301", "expect: {status: [200, 301]}", True),
    ("204", "expect: {status: [200]}", False),
])  # fmt: skip
def test_a_status_is_good_or_not_alike_with_every_generator(local, mode, expect, good, generator):
    trial = run(local, mode, generator, load=expect, servers=MORE)
    assert trial["outcome"] == ("healthy" if good else "unhealthy"), trial["why"]
    numbers = trial["steps"][0]["numbers"]
    # the first answer of this server is a 200, whoever gets it
    assert numbers["load.errors.status"] == (
        0 if good else pytest.approx(numbers["load.requests"], abs=1)
    )
