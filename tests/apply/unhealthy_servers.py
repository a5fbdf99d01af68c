"""Servers that must never be called healthy: servers.py MODE PORT.

redirect: 302 to everything · close10: HTTP/1.0, body ended by close · hang: three answers, then silence ·
slow: answers after an hour · status: 500 to everything · early: dies after 200 answers.
"""

import http.server
import os
import sys
import time

mode, port = sys.argv[1], int(sys.argv[2])
served = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0" if mode == "close10" else "HTTP/1.1"

    def do_GET(self):
        global served  # noqa: PLW0603 - one server, one count
        served += 1
        if (mode == "hang" and served > 3) or (mode == "slow" and served > 1):
            time.sleep(3600)
        if mode == "early" and served > 200:
            os._exit(1)
        first = served <= 1
        code = (
            200
            if first or mode in ("hang", "close10", "early", "slow")
            else {"redirect": 302}.get(mode, 500)
        )
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/elsewhere")
        if mode != "close10":
            self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
