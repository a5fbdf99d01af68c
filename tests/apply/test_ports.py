"""The workload's port: free on every address, chosen where it is named, exchanged where taken."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading

import pytest

from runner.compile.ports import listen_part
from runner.host.trial import network
from runner.spec.experiment import Experiment
from runner.store.record import RunFolder

pytestmark = pytest.mark.timeout(120)
SERVER = """\
import http.server, socket, sys
port, control = int(sys.argv[1]), int(sys.argv[2])
with socket.create_connection(("127.0.0.1", control)) as told:
    told.sendall(b"%d\\n" % port)
    told.recv(1)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"),
        (socket.AF_INET6, "::1"), (socket.AF_INET6, "::"),
    ],
)  # fmt: skip
def test_a_port_is_free_on_every_address(family, address):
    first = network.free_port()
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as taken:
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            taken.bind((address, first))
        except OSError as error:
            pytest.skip(f"{address}: {error}")
        taken.listen()
        assert network.free_port() != first


@pytest.mark.parametrize(
    ("sections", "port"),
    [
        ({"workload": {"argv": ["x"]}}, None),
        ({"workload": {"argv": ["x", "{port}"]}}, {"port": None}),
        ({"workload": {"argv": ["x"], "env": {"A": "{port}"}}}, {"port": None}),
        ({"workload": {"argv": ["x"], "ready": {"tcp": "{port}"}}}, {"port": None}),
        ({"workload": {"argv": ["x"], "port": 81}}, {"port": 81}),
        (
            {"workload": {"argv": ["x"]}, "load": {"url": "http://127.0.0.1:{port}/"}},
            {"port": None},
        ),
        ({"workload": {"argv": ["x"]}, "load": {"url": "http://127.0.0.1:8081/a"}}, {"port": 8081}),
        ({"workload": {"argv": ["x"]}, "load": {"url": "http://localhost/"}}, None),
    ],
)
def test_a_port_is_chosen_where_it_is_named(sections, port):
    spec = {**sections}
    if "load" in spec:
        spec["load"] = {"connections": 1, "measure": "1s", **spec["load"]}
    assert listen_part(Experiment.model_validate(spec)) == port


def test_a_port_that_was_taken_meanwhile_is_another_try(local, tmp_path):
    (tmp_path / "server.py").write_text(SERVER)
    held: list[socket.socket] = []
    told: list[int] = []
    control = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        while True:
            try:
                one, _ = control.accept()
            except OSError:
                return
            with one:
                told.append(int(one.makefile().readline()))
                if not held:
                    held.append(socket.create_server(("127.0.0.1", told[0])))
                one.sendall(b"x")

    thread = threading.Thread(target=take)
    thread.start()
    try:
        said = local.apply(
            local.spec(
                "schema: experiment/1\nname: taken\n"
                f"workload:\n  argv: [{json.dumps(sys.executable)}, {json.dumps(str(tmp_path / 'server.py'))},"
                f" '{{port}}', '{control.getsockname()[1]}']\n"
                '  ready: {http: "http://127.0.0.1:{port}/", within: 20s}\n'
                "guards: [workload.alive]\n"
            )
        )
    finally:
        control.shutdown(socket.SHUT_RDWR)
        control.close()
        thread.join()
        for one in held:
            one.close()
    assert len(told) == 2
    assert told[0] != told[1]
    folder = RunFolder.open(next(local.reports.glob(f"*/{said['run']}")))
    (trial,) = folder.manifest.trials
    taken = [e for e in folder.iter_events(trial) if e.kind == "port_taken"]
    assert [e.port for e in taken] == [told[0]]
    assert said["trials"][0]["outcome"] == "healthy" if "trials" in said else True
