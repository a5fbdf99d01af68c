"""A small HTTP server that misbehaves as its first argument says; for tests only."""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

how, port = sys.argv[1], int(sys.argv[2])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    seen = 0

    def do_GET(self):
        Handler.seen += 1
        first = Handler.seen == 1  # the readiness check
        if how == "hang" and not first:
            time.sleep(60)
        if how == "die" and Handler.seen > 50:
            os.kill(os.getpid(), signal.SIGKILL)
        if how in ("leak", "fork-leak") and not first:
            kept.append(bytearray(1 << 20))
        body = b"pong"
        self.send_response(503 if how == "refuse" and not first else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *args):
        pass


kept = []
if how == "exit":
    sys.exit("cannot start: no such thing")
if how == "deaf":
    # heard, as a test can see, and not done
    signal.signal(signal.SIGTERM, lambda *_: Path("/proc/self/comm").write_text("deaf"))
if how == "slow":
    time.sleep(1.5)
if how.startswith("fork") and os.fork():
    os.wait()  # a child serves; when it dies the parent goes on
    threading.Event().wait()
if how == "never":
    threading.Event().wait()
Server(("127.0.0.1", port), Handler).serve_forever()
