"""Whole requests: what the server got is what the spec says, with every generator."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

SERVER = r"""
import collections, http.server, json, sys
seen = collections.Counter()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_ANY(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        text = json.dumps(dict(seen)).encode()
        if self.path != "/seen":
            text = b"ok"
            close = (self.headers.get("Connection") or "").lower() == "close"
            words = [self.command, self.path, self.headers.get("X-Asked") or "", body, str(close)]
            seen[" ".join(words)] += 1
        self.send_response(200 if self.path == "/seen" or self.command == "GET" else 201)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    do_GET = do_POST = do_PUT = do_ANY
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
pytestmark = pytest.mark.timeout(120)


def asked(local, generator: str, load: str) -> tuple[dict, dict[str, int]]:
    if generator != "vegeta" and shutil.which(generator) is None:
        pytest.skip(f"{generator} is not installed")
    step = "connections: 4, duration: 1s" + (", rate: 100/s" if generator == "vegeta" else "")
    (local.folder / "server.py").write_text(SERVER)
    one = '  url: "http://127.0.0.1:{port}/items"\n'
    text = f"""\
schema: experiment/1
name: requests
hosts: {{server: local}}
workload:
  argv: [{json.dumps(sys.executable)}, {json.dumps(str(local.folder / "server.py"))}, "{{port}}"]
  ready: {{tcp: "{{port}}"}}
  network: isolated
  fetch: [{{name: seen, url: "http://127.0.0.1:{{port}}/seen"}}]
load:
  generator: {generator}
  threads: 1
{load if "urls:" in load else one + load}
  steps: [{{{step}}}]
healthy: [load.error_ratio <= 0.001]
repeat: {{attempts: 1}}
"""
    (trial,) = local.apply(local.spec(text), code=None)["trials"]
    from runner.records.trial_events import Fetched
    from runner.store.record import RunFolder

    (run,) = (local.reports / "requests").glob("2*")
    events = RunFolder.open(run).iter_events(trial["id"])
    (page,) = [event for event in events if isinstance(event, Fetched)]
    return trial, json.loads(page.text)


@pytest.mark.parametrize("generator", ["wrk", "h2load", "vegeta"])
def test_method_headers_and_body_arrive(local, generator):
    load = """\
  method: POST
  headers: {X-Asked: "yes \\"so\\""}
  body: '{"n": 1}'
  expect: {status: 201}"""
    trial, seen = asked(local, generator, load)
    assert trial["outcome"] == "healthy", trial["why"]
    assert list(seen) == ['POST /items yes "so" {"n": 1} False']


@pytest.mark.parametrize("generator", ["wrk", "h2load", "vegeta"])
def test_a_body_from_a_file_arrives_byte_by_byte(local, generator):
    body = 'a "quoted" line\n\ttab, é and \\ to the end\n'
    (local.folder / "item.txt").write_bytes(body.encode())
    load = "  method: POST\n  body_file: item.txt\n  expect: {status: 201}"
    trial, seen = asked(local, generator, load)
    assert trial["outcome"] == "healthy", trial["why"]
    assert list(seen) == [f"POST /items  {body} False"]


@pytest.mark.parametrize("generator", ["wrk", "h2load", "vegeta"])
def test_urls_are_asked_by_their_weights(local, generator):
    load = """\
  urls:
    - {url: "http://127.0.0.1:{port}/often", weight: 3}
    - http://127.0.0.1:{port}/rarely?x=1"""
    trial, seen = asked(local, generator, load)
    assert trial["outcome"] == "healthy", trial["why"]
    often, rarely = seen["GET /often   False"], seen["GET /rarely?x=1   False"]
    assert often + rarely == sum(seen.values())
    assert often / (often + rarely) == pytest.approx(0.75, abs=0.1)


@pytest.mark.parametrize("generator", ["wrk", "vegeta"])
def test_without_keep_alive_every_request_says_close(local, generator):
    _, seen = asked(local, generator, "  keep_alive: false")
    assert {key.rpartition(" ")[2] for key in seen} == {"True"}
