"""More servers that serve nothing, or too little: more_servers.py MODE PORT.

The first answer is good, so that `ready` is passed. silent: accepts and never answers · slow: answers
after 1.3 s · short: says 10 bytes, sends 2 and closes · header: closes within the header · reset: a RST ·
first50: 50 answers, then silence · half: every other request waits for ever · endless: chunks without an
end · garbage: no HTTP · body: the body comes 5 s after its header · rare: one answer in 100 is a 503 ·
204, 301: that status, with a header. Of the connections: one10: one of ten is answered · refuse10: the
others are closed at once · slowaccept: one is accepted each half second · backlog: three are, in all.
"""

import socket
import socketserver
import struct
import sys
import threading
import time

MODE, PORT = sys.argv[1], int(sys.argv[2])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PARTS = {
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
    "header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "garbage": b"hello\r\n\r\n",
}
STATUS = {
    "204": b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    "301": b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
}
served, accepted, lock = 0, 0, threading.Lock()


class Handler(socketserver.BaseRequestHandler):
    first_of_ten = True

    def setup(self):
        self.first_of_ten = Handler.first_of_ten

    def handle(self):
        global served  # noqa: PLW0603 - one server, one count
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if MODE == "one10" and not self.first_of_ten:
            time.sleep(3600)
        read = b""
        try:
            while True:
                while b"\r\n\r\n" not in read:
                    got = self.request.recv(65536)
                    if not got:
                        return
                    read += got
                read = read.partition(b"\r\n\r\n")[2]
                with lock:
                    served += 1
                    number = served
                if number == 1:
                    self.request.sendall(OK)
                elif not self.answer(number):
                    return
        except OSError:
            return

    def answer(self, number: int) -> bool:
        """Answer one request; say whether the connection goes on."""
        send = self.request.sendall
        if MODE in PARTS:
            send(PARTS[MODE])
            return False
        if MODE == "reset":
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
            return False
        if (
            MODE == "silent"
            or (MODE == "first50" and number > 50)
            or (MODE == "half" and number % 2)
        ):
            time.sleep(3600)
        if MODE == "slow":
            time.sleep(1.3)
        if MODE == "body":
            send(OK[:-2])
            time.sleep(5)
            send(OK[-2:])
            return True
        if MODE == "endless":
            send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                send(b"2\r\nok\r\n")
                time.sleep(0.05)
        rare = MODE == "rare" and number % 100 == 0
        send(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" if rare else STATUS.get(MODE, OK))
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def get_request(self):
        global accepted  # noqa: PLW0603
        if MODE == "backlog" and accepted > 3:
            time.sleep(3600)
        if MODE == "slowaccept" and accepted > 1:
            time.sleep(0.5)
        found = super().get_request()
        accepted += 1
        # the first is the one that asks whether this server is ready
        Handler.first_of_ten = accepted % 10 in (1, 2)
        return found

    def verify_request(self, request, client_address):
        return MODE != "refuse10" or Handler.first_of_ten


Server(("127.0.0.1", PORT), Handler).serve_forever()
