"""A server on the port in the environment; the first argument says how it misbehaves."""

import os
import signal
import socket
import sys
import threading
import time

HOW = sys.argv[1] if len(sys.argv) > 1 else ""
PORT = int(os.environ.get("PORT") or (sys.argv[2] if len(sys.argv) > 2 else 0))
KEPT = []


def serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection: socket.socket) -> None:
    asked = 0
    while True:
        try:
            data = connection.recv(65536)
        except OSError:
            return
        if not data:
            connection.close()
            return
        if b"/die" in data or (HOW == "die-under-load" and asked > 20):
            os._exit(3)
        if HOW == "leak":
            KEPT.append(bytearray(b"x" * (1 << 20)))
        if HOW == "hang":
            continue
        asked += 1
        status = b"503 Busy" if HOW == "503" else b"200 OK"
        body = b"hello"
        head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n" % (status, len(body))
        if b"HTTP/1.0" in data:
            connection.sendall(head + b"Connection: close\r\n\r\n" + body)
            connection.close()
            return
        connection.sendall(head + b"\r\n" + body)


if HOW == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if HOW == "print-on-usr1":
    signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"between\n"))
if HOW == "exit":
    sys.stderr.write("cannot start: no such thing\n")
    sys.exit(7)
if HOW == "background" and os.fork():
    sys.exit(0)
if HOW == "fork" and os.fork():
    while True:
        time.sleep(60)
if HOW == "other-port":
    PORT += 1
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(512)
sys.stdout.write(f"listening on {PORT}\n")
sys.stdout.flush()
serve(listener)
