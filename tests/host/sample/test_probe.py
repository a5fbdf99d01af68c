"""Readiness asks as clients do: every address of a name, HTTP/1.1, TLS."""

from __future__ import annotations

import http.server
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from runner.host.sample import fetch
from runner.host.trial.loop import Loop


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # a server of HTTP/1.1 alone, with a body in chunks that never ends
        self.send_response(200 if self.request_version == "HTTP/1.1" else 505)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"2\r\nok\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(context: ssl.SSLContext | None = None) -> int:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_http_1_1_alone_is_ready(loop, serve):
    assert fetch.probe(f"http://127.0.0.1:{serve()}/", loop, 5).status == 200


def test_every_address_of_a_name_is_tried(loop, serve, monkeypatch):
    """The first one has nobody; the second is the server."""
    port = serve()
    places = [
        (family, socket.SOCK_STREAM, 6, "", address)
        for family, address in (
            (socket.AF_INET, ("127.0.0.9", port)),
            (socket.AF_INET, ("127.0.0.1", port)),
        )
    ]
    monkeypatch.setattr(fetch.socket, "getaddrinfo", lambda *_: places)
    assert fetch.probe(f"http://both:{port}/", loop, 5).status == 200
    assert fetch.connect(f"both:{port}", loop, 5).good
    assert fetch.get(f"http://both:{port}/", loop, 0.5).status in (200, 505, None)


def test_tcp_takes_a_port_and_a_host_with_one(loop, serve):
    port = serve()
    assert fetch.connect(str(port), loop, 5).good
    assert fetch.connect(f"127.0.0.1:{port}", loop, 5).good
    assert not fetch.connect(f"127.0.0.9:{port}", loop, 5).good


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_https_with_a_ca_without_and_insecure(loop, serve, tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key),
         "-out", str(cert), "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    url = f"https://127.0.0.1:{serve(context)}/"
    assert fetch.probe(url, loop, 5, insecure=True).status == 200
    assert fetch.probe(url, loop, 5, ca=str(cert)).status == 200
    refused = fetch.probe(url, loop, 5)
    assert refused.status is None
    assert refused.why.startswith("TLS: ")
