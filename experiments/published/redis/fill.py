#!/usr/bin/env python3
"""Memory of a Redis server that holds nothing, strings or hashes: prints one JSON object."""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

BATCH = 10_000


def command(*words: str) -> bytes:
    """Write a command as the protocol has it."""
    parts = [f"${len(word)}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def strings(number: int) -> bytes:
    """Set a small value."""
    return command("SET", f"key:{number}", f"value:{number}")


def hashes(number: int) -> bytes:
    """An object with five fields."""
    fields = [word for n in range(5) for word in (f"field{n}", f"value{n}:{number}")]
    return command("HSET", f"key:{number}", *fields)


def asked(link: socket.socket, text: bytes, answers: int) -> bytes:
    """Send commands and wait for so many lines."""
    link.sendall(text)
    got = b""
    while got.count(b"\r\n") < answers:
        got += link.recv(1 << 20)
    return got


def info(link: socket.socket) -> dict[str, str]:
    """Ask what the server says of its memory."""
    link.sendall(command("INFO", "memory"))
    got = b""
    while b"lazyfreed_objects" not in got:
        got += link.recv(1 << 20)
    pairs = (line.split(":", 1) for line in got.decode().splitlines() if ":" in line)
    return dict(pairs)


def main() -> None:
    """Fill a server of its own, ask, stop it."""
    content, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder, "socket")
        server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(place), "--save", "",
             "--appendonly", "no", "--daemonize", "no", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until = time.monotonic() + 10
            while not place.exists():
                if time.monotonic() > until or server.poll() is not None:
                    sys.exit("redis-server did not start")
                time.sleep(0.05)
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(str(place))
                make = {"strings": strings, "hashes": hashes}.get(content)
                for first in range(0, count if make else 0, BATCH):
                    batch = range(first, min(first + BATCH, count))
                    asked(link, b"".join(map(make, batch)), len(batch))
                time.sleep(0.5)
                seen = info(link)
            found = {
                "used_bytes": int(seen["used_memory"]),
                "rss_bytes": int(seen["used_memory_rss"]),
            }
            sys.stdout.write(json.dumps(found) + "\n")
        finally:
            server.terminate()
            server.wait()


main()
