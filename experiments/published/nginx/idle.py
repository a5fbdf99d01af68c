#!/usr/bin/env python3
"""Memory of an nginx worker with idle keep-alive connections: prints one JSON object.

Two servers, one after the other: one that has room for 16 connections, and one that has room for
all. nginx sets aside a structure for every connection that it has room for, whether it comes or
not; what is set aside is the difference of the two before any comes.
"""

import json
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import time

CONFIG = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {nofile};
error_log stderr crit;
pid {folder}/pid;
events {{ worker_connections {room}; }}
http {{
  access_log off;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 ok; }} }}
}}
"""
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def anonymous(pid: int) -> int:
    """Bytes that belong to the process alone: not its files, which all workers share."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def answered(port: int) -> socket.socket:
    """Open a connection and have one request answered."""
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(REQUEST)
    got = b""
    while not got.endswith(b"ok"):
        got += one.recv(4096)
    return one


def measured(port: int, room: int, connections: int) -> tuple[int, int]:
    """Memory of the worker after one request, and with all connections idle."""
    nofile = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "nginx.conf")
        config.write_text(CONFIG.format(folder=folder, room=room, port=port, nofile=nofile))
        config.parent.chmod(0o711)  # the worker is another user, and goes through it
        master = subprocess.Popen(["nginx", "-p", folder, "-c", str(config)])
        try:
            children = pathlib.Path(f"/proc/{master.pid}/task/{master.pid}/children")
            until = time.monotonic() + 10
            while not (pids := children.read_text().split()):
                if time.monotonic() > until or master.poll() is not None:
                    sys.exit("nginx did not start a worker")
                time.sleep(0.05)
            worker = int(pids[0])
            time.sleep(0.3)
            held = [answered(port)]
            before = anonymous(worker)
            held += [answered(port) for _ in range(connections - 1)]
            time.sleep(1)
            return before, anonymous(worker)
        finally:
            master.terminate()
            master.wait()


def main() -> None:
    """Measure both servers."""
    port, connections = int(sys.argv[1]), int(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    small, _ = measured(port, 16, 1)
    reserved, full = measured(port, connections + 100, connections)
    found = {
        "growth_bytes": full - reserved,
        "reserved_bytes": reserved - small,
        "both_bytes": full - small,
    }
    sys.stdout.write(json.dumps(found) + "\n")


main()
