"""Pages in the middle of a load, binary ones in parts, and which pages are in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import zlib

import pytest

from runner.host.sample import fetch_parts
from tests.host import trials
from tests.host.trials import load, of, only, ping, program, server, step

pytestmark = pytest.mark.skipif(not trials.is_root(), reason="namespaces need root")
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def whole(events, name):
    parts = [event for event in of(events, "fetched_part") if event["name"] == name]
    assert [part["part"] for part in parts] == [*range(len(parts))]
    return zlib.decompress(b"".join(base64.b64decode(part["zlib_b64"]) for part in parts))


@needs_wrk
def test_pages_are_fetched_in_the_middle_of_each_step(host):
    """After so many seconds of the measurement, in order of time; the sampler misses nothing."""
    fetch = [
        {"name": "later", "path": "/proc/uptime", "when": "during_step", "after_s": 1.2},
        {"name": "root", "url": "http://127.0.0.1:{port}/", "when": "during_step", "after_s": 0.5},
        {"name": "never", "path": "/proc/uptime", "when": "during_step", "after_s": 60},
    ]
    answer = host.ask(program(ping(), fetch=fetch, **load(step(0, 2), step(1, 2))))
    assert answer.end["ok"], answer.end
    began = {e["index"]: e["t"] for e in of(answer.events, "measure_started")}
    ended = {e["index"]: e["t"] for e in of(answer.events, "step_ended")}
    fetched = of(answer.events, "fetched")
    assert [(e["name"], e["step"]) for e in fetched] == [
        ("root", 0), ("later", 0), ("never", 0), ("root", 1), ("later", 1), ("never", 1),
    ]  # fmt: skip
    for event in fetched:
        if event["name"] == "never":
            assert event["why"] == "the step ended before 60 s"
            continue
        after = {"root": 0.5, "later": 1.2}[event["name"]]
        assert began[event["step"]] + after <= event["began"] <= event["t"] < ended[event["step"]]
    assert fetched[0]["text"] == "hello"
    ticks = only(answer.events, "sampler")
    assert ticks["missed"] <= ticks["ticks"] * 0.1


def test_a_large_file_comes_whole_in_bounded_parts(host, tmp_path):
    """What cannot be compressed is cut into events of at most 48 KiB before base64."""
    data = os.urandom(1_000_000) + bytes(3_000_000)
    path = tmp_path / "large"
    path.write_bytes(data)
    fetch = [{"name": "large", "path": str(path), "binary": True, "when": "before"}]
    answer = host.ask(program(ping(), fetch=fetch))
    assert answer.end["ok"], answer.end
    assert whole(answer.events, "large") == data
    said = only(answer.events, "fetched")
    assert said["bytes"] == len(data)
    assert said["sha256"] == hashlib.sha256(data).hexdigest()
    assert said["parts"] == len(of(answer.events, "fetched_part")) == 21
    longest = max(len(event["zlib_b64"]) for event in of(answer.events, "fetched_part"))
    assert longest == (48 << 10) * 4 // 3


def test_a_binary_page_of_a_url_comes_whole(host):
    fetch = [{"name": "root", "url": "http://127.0.0.1:{port}/", "binary": True, "when": "before"}]
    answer = host.ask(program(ping(), fetch=fetch))
    said = only(answer.events, "fetched")
    assert (said["status"], said["bytes"], said["why"]) == (200, 5, None)
    assert whole(answer.events, "root") == b"hello"


def test_a_page_that_answers_an_error_is_none(host):
    fetch = [{"name": "root", "url": "http://127.0.0.1:{port}/", "binary": True, "when": "before"}]
    workload = ping("503")
    workload["ready"] = {"tcp": "{port}", "within_s": 10}
    answer = host.ask(program(workload, fetch=fetch))
    said = only(answer.events, "fetched")
    assert (said["status"], said["bytes"]) == (503, 0)


def test_over_the_limit_is_left_out_and_said(monkeypatch):
    monkeypatch.setattr(fetch_parts, "LIMIT_BYTES", 1000)
    sent = []
    parts = fetch_parts.Parts(lambda event, **fields: sent.append(fields), "x", None)
    for _ in range(3):
        parts.add(b"a" * 400)
    said = parts.done()
    assert said["why"] == "cut at 1000 bytes"
    assert said["bytes"] == 1000
    packed = b"".join(base64.b64decode(part["zlib_b64"]) for part in sent)
    assert zlib.decompress(packed) == b"a" * 1000


def test_resident_pages_sum_to_the_kernels_rss(host):
    """Runs of pagemap, mapping by mapping, are what smaps says of the same process."""
    fetch = [
        {"name": "pages", "path": "/proc/{pid}/pagemap", "when": "before"},
        {"name": "smaps", "path": "/proc/{pid}/smaps", "when": "before"},
    ]
    answer = host.ask(program(server("ping", env={"PORT": "{port}"}), fetch=fetch))
    assert answer.end["ok"], answer.end
    texts = {event["name"]: event["text"] for event in of(answer.events, "fetched")}
    pages = json.loads(texts["pages"])
    present = sum(sum(runs[1::2]) for runs in pages["resident"].values()) * pages["page_bytes"]
    rss = sum(int(x.split()[1]) for x in texts["smaps"].splitlines() if x.startswith("Rss:")) * 1024
    # the zero page is present and not counted as resident
    assert rss > 4 << 20
    assert abs(present - rss) <= 64 * pages["page_bytes"]


@needs_wrk
def test_a_workload_that_dies_of_a_page_is_said_and_ends_the_trial(host):
    """As when the kernel kills a server in its dump: no answer, the exit, the record's end."""
    fetch = [
        {"name": "die", "url": "http://127.0.0.1:{port}/die", "binary": True,
         "when": "during_step", "after_s": 0.3},
        {"name": "smaps", "path": "/proc/{pid}/smaps", "when": "during_step", "after_s": 0.3},
    ]  # fmt: skip
    answer = host.ask(program(ping(), fetch=fetch, **load(step(0, 3))))
    assert answer.end["ok"], answer.end
    assert only(answer.events, "workload_exited")["code"] == 3
    assert only(answer.events, "aborted")["why"]
    said = {event["name"]: event for event in of(answer.events, "fetched")}
    assert said["die"]["bytes"] == 0
    assert said["die"]["why"]
    assert "smaps" not in said or said["smaps"]["text"] in (None, "")
