"""QEMU's monitor protocol: one JSON object per line, over a socket."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any, Self

from runner.board.errors import BoardError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Monitor:
    """One connection; `with Monitor(path) as monitor: monitor.ask("query-status")`."""

    def __init__(self, path: Path, timeout_s: float | None = 60.0) -> None:
        self.events: list[dict[str, object]] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        # the path of a socket may have 107 bytes, that of its folder any number
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self._socket.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            self._socket.close()
            raise
        finally:
            os.close(folder)
        self._lines = self._socket.makefile("rb")
        self._read()  # the greeting
        self.ask("qmp_capabilities")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the machine goes on."""
        self._lines.close()
        self._socket.close()

    def ask(self, execute: str, **arguments: object) -> object:
        """Run one command and give what it returns; events that come first are kept."""
        message = {"execute": execute, "arguments": arguments}
        self._socket.sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = self._read()
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise BoardError(f"QEMU: {answer['error'].get('desc', answer['error'])}")
            else:
                return answer.get("return")

    def human(self, line: str) -> None:
        """Run a command of the human monitor, which answers nothing when all is well."""
        answer = str(self.ask("human-monitor-command", **{"command-line": line})).strip()
        if answer:
            raise BoardError(f"QEMU: {line}: {answer}")

    def event(self) -> dict[str, Any] | None:
        """Wait for the next event; None when QEMU is gone."""
        if self.events:
            return self.events.pop(0)
        try:
            while True:
                answer = self._read()
                if "event" in answer:
                    return answer
        except (BoardError, OSError):
            return None

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise BoardError("QEMU hung up")
        answer: dict[str, Any] = json.loads(line)
        return answer
