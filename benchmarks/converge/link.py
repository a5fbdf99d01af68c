"""A TCP link that counts round trips and can delay: `python link.py TARGET DELAY_S`.

Prints its port; then, for every line on stdin, the round trips and bytes since the
last one. A round trip is counted whenever the client speaks again after the server did.
"""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time

counts = {"trips": 0, "bytes": 0, "links": 0}


def carry(source: socket.socket, target: socket.socket, delay_s: float, turn: dict, who: str):
    waiting: queue.SimpleQueue = queue.SimpleQueue()

    def send() -> None:
        while True:
            due, data = waiting.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            except OSError:
                return

    threading.Thread(target=send, daemon=True).start()
    while True:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        if data:
            counts["bytes"] += len(data)
            if who == "client" and turn["last"] != "client":
                counts["trips"] += 1
            turn["last"] = who
        waiting.put((time.monotonic() + delay_s, data))
        if not data:
            return


def main() -> None:
    target, delay_s = int(sys.argv[1]), float(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", target))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            counts["links"] += 1
            turn = {"last": ""}
            for source, sink, who in ((near, far, "client"), (far, near, "server")):
                threading.Thread(
                    target=carry, args=(source, sink, delay_s, turn, who), daemon=True
                ).start()

    threading.Thread(target=accept, daemon=True).start()
    for _ in sys.stdin:
        print(counts["trips"], counts["bytes"], counts["links"], flush=True)
        counts.update(trips=0, bytes=0, links=0)


if __name__ == "__main__":
    main()
