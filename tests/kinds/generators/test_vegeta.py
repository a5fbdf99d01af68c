"""vegeta: built by runner's toolchain, against real servers, one of which stalls."""

from __future__ import annotations

import platform
import shutil
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import convert

from runner.apply.building import Builder
from runner.host.sample import request_log
from runner.kinds.generators import generator, in_flight
from runner.kinds.generators.interface import Output
from runner.kinds.generators.merge import merged
from runner.kinds.generators.request import PLAIN, Request
from runner.kinds.generators.vegeta import OPEN, behind, interval
from runner.records.steps import LoadStep
from runner.records.trial_events import RequestLog
from runner.spec.sections.shape import area
from runner.toolchain import default_cache_dir
from tests.kinds.generators.lacks import declared, lacking

VEGETA = generator("vegeta")
RATE = 100


@pytest.fixture(scope="module")
def program():
    """The real program, from the cache that every run uses."""
    made = Builder(default_cache_dir(), Path()).generator("vegeta", {"arch": platform.machine()})
    assert made is not None
    return made


@pytest.fixture
def stalling():
    """A server that answers at once, but for one second in which it does nothing at all."""
    began, stall = [], (0.5, 1.5)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one segment: two would wait 40 ms for a delayed ACK

        def do_GET(self):
            began.append(time.monotonic())
            since = began[-1] - began[0]
            if stall[0] <= since < stall[1]:
                time.sleep(stall[1] - since)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def step(url, connections, *, rate=RATE, seconds=2, timeout=3):
    return LoadStep(url, connections, seconds, threads=1, timeout_s=timeout, rate=rate)


def run(program, asked: LoadStep, folder, request: Request = PLAIN):
    log = folder / VEGETA.log().replace("{step}", "0")
    for file in VEGETA.files(request):
        (folder / file["name"]).write_text(file["text"])
    argv = [str(program.path), *VEGETA.argv(asked, request)[1:]]
    argv = [word.replace("{dir}", str(folder)).replace("{step}", "0") for word in argv]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    summed = request_log.summarise(str(log), lambda: None)
    return VEGETA.parse(
        Output(done.stdout, done.stderr, done.returncode, convert(summed, RequestLog)), asked
    )


def test_an_exact_go_builds_it(program):
    assert program.toolchain == "1.22.10"
    assert program.stripped
    assert not program.dynamic


def test_a_good_server_is_asked_at_the_rate(program, serve, tmp_path):
    found = run(program, step(serve(200), in_flight(RATE, 3)), tmp_path)
    numbers = found.numbers
    assert found.error == ""
    assert lacking(found) == declared(VEGETA)
    assert numbers["planned"] == numbers["requests"] == 2 * RATE
    assert numbers["dropped"] == numbers["errors"] == 0
    assert numbers["rps"] == pytest.approx(RATE, rel=0.1)
    assert found.histogram is not None
    assert found.histogram.n == 2 * RATE
    assert 0 < numbers["latency_raw_p50"] <= numbers["latency_p50"] * 1.05
    assert numbers["littles_law"] is None
    assert found.why["littles_law"] == OPEN
    assert found.why["latency_raw_p9999"].startswith("vegeta gives")


def test_a_stall_is_charged_for_all_that_piled_up(program, stalling, tmp_path):
    """100 requests fall into the stalled second: the p99 by intended start is nearly all of it."""
    numbers = run(program, step(stalling, in_flight(RATE, 3)), tmp_path).numbers
    assert numbers["dropped"] == 0
    assert numbers["latency_p99"] == pytest.approx(1.0, abs=0.12)
    assert numbers["latency_p75"] == pytest.approx(0.5, abs=0.15)  # half of all were stalled


def test_what_is_never_sent_is_dropped(program, stalling, tmp_path):
    """Both workers are stuck until after the end: what was planned meanwhile is dropped."""
    numbers = run(program, step(stalling, 2, seconds=1.2), tmp_path).numbers
    assert numbers["planned"] == 120
    assert numbers["dropped"] == numbers["planned"] - numbers["requests"]
    assert numbers["dropped"] > 50


def test_late_requests_are_late_by_their_intended_start(program, stalling, tmp_path):
    """With time left to catch up none is dropped; by their own start they look fast."""
    numbers = run(program, step(stalling, 2, seconds=3), tmp_path).numbers
    assert numbers["dropped"] == 0
    assert numbers["latency_raw_p90"] < 0.1
    assert numbers["latency_p90"] > 0.6
    assert numbers["latency_p99"] == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize(
    ("status", "timeout", "kind"), [(503, 1, "status"), (None, 0.3, "timeout"), (0, 1, "connect")]
)
def test_errors_have_their_kind(program, serve, tmp_path, status, timeout, kind):
    """Every answer refused, no answer ever, nobody there: all errors, and each of its kind."""
    url = "http://127.0.0.1:9/" if status == 0 else serve(status)
    found = run(program, step(url, 200, seconds=0.5, timeout=timeout), tmp_path)
    assert found.error == ""
    assert found.numbers["error_ratio"] == 1.0
    assert found.numbers[f"errors.{kind}"] == found.numbers["planned"] == RATE / 2
    if kind == "timeout":  # it has taken at least so long: no percentile hides it
        assert found.numbers["latency_p99"] >= timeout
    elif kind != "status":
        assert found.numbers["latency_p99"] is None
        assert found.why["latency_p99"] == "no request was answered"


def test_a_cut_connection_is_a_read_error(program, tmp_path):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.connection.close()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        numbers = run(program, step(url, 50, seconds=0.5), tmp_path).numbers
    finally:
        server.shutdown()
        server.server_close()
    assert numbers["errors.read"] == numbers["planned"]


def test_too_few_descriptors_are_the_generators_own_fault(program, serve, tmp_path):
    asked = step(serve(None), 200, seconds=0.5, timeout=1)
    log = tmp_path / "vegeta-0.tsv"
    words = [word for word in VEGETA.argv(asked)[1:-1] if not word.startswith("-request=")]
    argv = ["prlimit", "--nofile=20", str(program.path), *words, f"-log={log}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    found = VEGETA.parse(Output(done.stdout, done.stderr, done.returncode, RequestLog()), asked)
    assert found.numbers["errors.local"] > 10
    assert found.numbers["errors"] + found.numbers["errors.local"] == found.numbers["planned"]


def test_its_own_failure_is_no_measurement(program, tmp_path):
    found = run(program, step("http://127.0.0.1:9/", 1, rate=0), tmp_path)
    assert "needs -url, -rate and -log" in found.error


def test_two_load_hosts_are_one_load(program, serve, tmp_path):
    """Rates, plans and histograms add up; what both saw by intended start is their sum's."""
    url = serve(200)
    parts = [run(program, step(url, 50, rate=rate, seconds=1), tmp_path) for rate in (40, 60)]
    found = merged(parts, 100)
    assert found.numbers["rate"] == found.numbers["planned"] == 100
    assert found.numbers["dropped"] == 0
    assert found.histogram.n == 100
    worst = max(part.numbers["latency_max"] for part in parts)
    assert found.numbers["latency_max"] == worst
    assert found.numbers["latency_corrected_p50"] == found.numbers["latency_p50"]
    assert found.numbers["littles_law"] is None
    assert found.why["littles_law"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_certificate_is_checked_against_the_ca(program, tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key),
         "-out", str(cert), "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args):
            pass  # a client that refuses the certificate

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked = LoadStep(f"https://127.0.0.1:{server.server_port}/", 4, 1.0, 1, 1.0, rate=20.0)
    try:
        known = run(program, asked, tmp_path, Request(ca=str(cert)))
        unknown = run(program, asked, tmp_path)
        absent = run(program, asked, tmp_path, Request(ca=str(tmp_path / "no.pem")))
    finally:
        server.shutdown()
        server.server_close()
    assert known.numbers["error_ratio"] == 0
    assert known.numbers["good"] == 20
    assert unknown.numbers["error_ratio"] == 1
    assert "no.pem: no such file" in absent.error


SHAPES = {
    "ramp": (((0.0, 0.0), (2.0, 200.0)), 200),
    "falling": (((0.0, 150.0), (2.0, 50.0)), 200),
    "spike": (((0.0, 20.0), (1.0, 20.0), (1.0, 300.0), (1.5, 300.0), (1.5, 20.0), (2.0, 20.0)), 180),
    "nothing at first": (((0.0, 0.0), (1.0, 0.0), (1.0, 100.0), (2.0, 100.0)), 100),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_followed(program, serve, tmp_path, name):
    """In each interval as many are planned as the area below the rate says, and so many sent."""
    shape, many = SHAPES[name]
    asked = replace(step(serve(200), 50), rate=many / 2, shape=shape)
    found = run(program, asked, tmp_path)
    assert found.error == ""
    assert found.numbers["planned"] == found.numbers["requests"] == many
    assert found.numbers["rate"] == many / 2
    assert found.over.every_s == 0.1
    assert len(found.over.planned) == 20
    before = 0.0
    for i, planned in enumerate(found.over.planned):
        until = area(upto(shape, (i + 1) * 0.1))
        assert planned == pytest.approx(until - before, abs=1.001)
        before = until
    assert sum(found.over.planned) == sum(found.over.sent) == many
    assert found.numbers["behind"] == behind(found.over.planned, found.over.sent)
    assert found.numbers["behind"] < 0.5


def upto(shape, end):
    """The part of a shape before a time."""
    found = []
    for (t0, r0), (t1, r1) in pairwise(shape):
        if t0 < end:
            part = min(1.0, (end - t0) / (t1 - t0)) if t1 > t0 else 0.0
            found += [(t0, r0), (t0 + part * (t1 - t0), r0 + part * (r1 - r0))]
    return tuple(found)


def test_the_times_of_a_file_are_kept(program, serve, tmp_path):
    """Two hosts share them, each every second one; what is planned is what the file says."""
    times = (0.0, 0.05, 0.31, 0.32, 0.33, 0.9)
    (tmp_path / "a.txt").write_text("\n".join(map(str, times)))
    asked = replace(step(serve(200), 6, seconds=1), rate=6, arrivals="a.txt")
    whole = run(program, asked, tmp_path)
    assert whole.over.planned == (2, 0, 0, 3, 0, 0, 0, 0, 0, 1)
    assert sum(whole.over.sent) == sum(whole.over.answered) == 6
    assert (whole.numbers["rate"], whole.numbers["dropped"]) == (6, 0)
    halves = [run(program, replace(asked, share=(k, 2)), tmp_path) for k in (0, 1)]
    assert halves[0].over.planned == (1, 0, 0, 2, 0, 0, 0, 0, 0, 0)
    assert halves[1].over.planned == (1, 0, 0, 1, 0, 0, 0, 0, 0, 1)
    assert merged(halves, 6).numbers["planned"] == 6


def test_what_is_late_is_behind_though_nothing_is_dropped(program, stalling, tmp_path):
    """Two workers are stuck for a second and then catch up: 100 of 300 are late."""
    found = run(program, step(stalling, 2, seconds=3), tmp_path)
    assert found.numbers["dropped"] == 0
    assert found.numbers["behind"] == pytest.approx(0.33, abs=0.06)
    assert sum(found.over.sent) == 300


@pytest.mark.parametrize(
    ("duration", "wide"), [(0.3, 0.1), (12, 0.1), (13, 0.2), (60, 0.5), (3600, 50), (86400, 1000)]
)
def test_intervals_are_few(duration, wide):
    assert interval(duration) == pytest.approx(wide)
    assert duration / interval(duration) <= 120
