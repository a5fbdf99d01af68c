"""`--watch`: the page of a run that goes on, for nobody but who has its address."""

import http.client
import json
import re
import socket
import sys
from pathlib import Path

import pytest

from runner.apply.watching.server import WatchServer
from runner.errors import RecordError, SpecError
from tests.waiting import until

WAITS = """\
import os, sys, time
while True:
    try:
        os.unlink(sys.argv[1])
        break
    except FileNotFoundError:
        time.sleep(0.02)
print("value=7")
"""
SPEC = """\
schema: experiment/1
name: watched
title: Watched <b>closely</b>
hosts: {{server: local}}
workload:
  argv: [{python}, {program}, {gate}]
  run: once
repeat: 2
metrics: {{value: {{from: stdout.regex, pattern: "value=(\\\\d+)", unit: ""}}}}
"""


class Browser:
    """Requests as anybody on this machine could send them."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([\w-]{32})/", url)
        assert found, url
        self.port, self.token = int(found[1]), found[2]

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            link.putheader(name, value)
        link.endheaders()
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        if method == "GET":
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
        return answer.status, text

    def get(self, path: str = "") -> str:
        status, text = self.ask(f"/{self.token}/{path}")
        assert status == 200, text
        return text

    def trials(self) -> list[tuple[str, str]]:
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', self.get())
        return [(one["id"], one["outcome"]) for one in json.loads(data[1])["trials"]]


def refuses(port: int) -> bool:
    with socket.socket() as asks:
        return asks.connect_ex(("127.0.0.1", port)) != 0


def test_the_page_of_a_run_grows_with_it_and_ends_with_it(local):
    """A real run: trials come in one by one; others get nothing; nothing is there afterwards."""
    program, gate = local.folder / "waits.py", local.folder / "gate"
    program.write_text(WAITS)
    words = {"python": sys.executable, "program": program, "gate": gate}
    file = local.spec(SPEC.format(**{k: json.dumps(str(v)) for k, v in words.items()}))
    run = local.start("apply", "--watch", str(file))
    line = next(line for line in run.stderr if line.startswith("watch: "))
    assert "local is this machine: making the page costs CPU time" in run.stderr.readline()
    browser = Browser(line.removeprefix("watch: ").strip())
    until(lambda: browser.ask(f"/{browser.token}/stamp")[0] == 200)
    until(lambda: browser.get("stamp").startswith("running-1-0-"))

    page = browser.get()
    assert browser.trials() == []
    assert "Watched &lt;b&gt;closely&lt;/b&gt;" in page
    assert f'data-live="{browser.get("stamp")}"' in page
    assert browser.get() == page
    for path in re.findall(r'(?:href|src)="(assets/[^"]+)"', page):
        assert browser.get(path)

    gate.touch()
    until(lambda: browser.get("stamp").startswith("running-2-1-"))
    assert browser.trials() == [("all-r1-a1", "healthy")]
    assert "all-r2-a1: is running" in browser.get()

    only_for_who_knows(browser)
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [one[1] for one in sockets if one[3] == "0A"]
    assert [one for one in listening if one.endswith(f":{browser.port:04X}")] == [
        f"0100007F:{browser.port:04X}"
    ]

    gate.touch()
    said, told = run.communicate(timeout=90)
    assert run.returncode == 0, told
    assert "report.md" in said
    assert browser.token not in said + told
    assert refuses(browser.port)
    written = [path for path in local.reports.rglob("*") if path.is_file()]
    assert not [path for path in written if browser.token.encode() in path.read_bytes()]


def only_for_who_knows(browser: Browser) -> None:
    own = f"/{browser.token}/"
    for path in ("/", "/stamp", f"/{browser.token}", f"/{browser.token[:-1]}/", f"/{'x' * 32}/",
                 "/%ff/", f"{own}spec.yaml", f"{own}../", f"{own}assets/../site.js"):  # fmt: skip
        assert browser.ask(path) == (404, "Not Found"), path
    for host in ("evil.example", f"evil.example:{browser.port}", "127.0.0.1.evil.example", "[", ""):
        assert browser.ask(own, Host=host) == (404, "Not Found"), host
    for host in ("localhost", "localhost:9999", f"127.0.0.1:{browser.port}", "[::1]:80"):
        assert browser.ask(own, Host=host)[0] == 200, host
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert browser.ask(own, method)[0] == 405
        assert browser.ask("/", method)[0] == 404
    assert browser.ask(own, "HEAD") == (200, "")


@pytest.fixture
def server():
    made = WatchServer(0)
    yield made
    made.close()


def test_before_the_record_and_while_it_is_written_it_says_so(server):
    browser = Browser(server.url)
    assert browser.ask(f"/{browser.token}/") == (503, "The run has not begun.")
    assert browser.ask(f"/{browser.token}/stamp")[0] == 404

    class Broken:
        def text(self):
            raise RecordError("half a line")

        stamp = text

    server.show(Broken())
    for path in ("", "stamp"):
        status, said = browser.ask(f"/{browser.token}/{path}")
        assert (status, "half a line" in said) == (503, True)


def test_two_addresses_are_never_alike(server):
    other = WatchServer(0)
    assert Browser(server.url).token != Browser(other.url).token
    with pytest.raises(SpecError, match="cannot serve on port"):
        WatchServer(other.server_port)
    with pytest.raises(SpecError, match="cannot serve on port"):
        WatchServer(65536)
    other.close()


def test_what_cannot_be_watched_is_refused_before_any_host_is_touched(local):
    file = local.spec(SPEC.format(python="python3", program="x", gate="y"))
    done = local("apply", str(file), "--watch", "--check", code=3)
    assert "--check records nothing" in done.stderr
    done = local("apply", str(file), "--watch", "8o80", code=3)
    assert "--watch 8o80 is not a port" in done.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = local("apply", str(file), "--watch", str(port), code=3)
    assert f"cannot serve on port {port}" in done.stderr
    assert not local.reports.exists()
