"""The machine `runner` itself runs on, without ssh."""

from __future__ import annotations

import contextlib
import math
import os
import select
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Final, Protocol

from runner.errors import HostUnreachable
from runner.transports.bounds import Bounds
from runner.transports.interface import GRACE_S, STDERR_TAIL_BYTES
from runner.transports.lines import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


_CHUNK_BYTES: Final = 65536
_PATIENT: Final = Bounds(silent_s=math.inf)


class Process(Protocol):
    """As much of a Popen as a channel needs."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """The end to write to."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """The end to read from."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait; raises TimeoutExpired."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


class LocalChannel:
    """A child process; its stderr goes to a file, so that it cannot block on it."""

    def __init__(self, process: Process, stderr: IO[bytes]) -> None:
        self._process = process
        self._stderr = stderr
        self._tail = ""
        self._closed = False

    @property
    def pid(self) -> int:
        """The process on this machine."""
        return self._process.pid

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        stdin = self._stdin()
        if stdin.closed:
            raise BrokenPipeError("stdin is closed")
        stdin.write(data)
        stdin.flush()

    def close_stdin(self) -> None:
        """No more input."""
        with contextlib.suppress(OSError):
            self._stdin().close()

    def __iter__(self) -> Iterator[bytes]:
        """Stdout by lines."""
        return self.lines(_PATIENT)

    def lines(self, bounds: Bounds) -> Iterator[bytes]:
        """Stdout by lines, within bounds."""
        stdout = self._process.stdout
        if stdout is None or stdout.closed:
            return
        fd = stdout.fileno()

        def receive(within_s: float) -> bytes | None:
            if stdout.closed:
                return b""
            ready, _, _ = select.select([fd], [], [], within_s)
            return os.read(fd, _CHUNK_BYTES) if ready else None

        yield from split(receive, bounds)

    def stderr(self) -> str:
        """Read the tail of the file; the child has its own position in it by append."""
        if self._stderr.closed:
            return self._tail
        size = os.fstat(self._stderr.fileno()).st_size
        start = max(0, size - STDERR_TAIL_BYTES)
        return os.pread(self._stderr.fileno(), size - start, start).decode(errors="replace")

    def exit_code(self, timeout_s: float = 10.0) -> int | None:
        """Wait for the child."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def link_alive(self) -> bool:
        """There is no link that could break."""
        return True

    def close(self, grace_s: float = GRACE_S) -> None:
        """Close the pipes, which ends an agent in good order; then insist."""
        if self._closed:
            return
        self._closed = True
        self.close_stdin()
        if self._process.stdout is not None:
            self._process.stdout.close()
        for insist in (None, self._process.terminate, self._process.kill):
            if insist is not None:
                # a process that sudo started cannot be signalled from here
                with contextlib.suppress(PermissionError):
                    insist()
            if self.exit_code(grace_s) is not None:
                break
        self._tail = self.stderr()
        self._stderr.close()

    def _stdin(self) -> IO[bytes]:
        stdin = self._process.stdin
        if stdin is None:  # pragma: no cover - it is a pipe always
            raise BrokenPipeError("no stdin")
        return stdin


class LocalTransport:
    """Processes on this machine."""

    def __init__(
        self,
        *,
        name: str = "localhost",
        python: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        # the interpreter at hand: a `python3` on PATH may be a slow shim, or missing
        self.python = python or sys.executable
        self.is_root = os.geteuid() == 0
        self.execs = 0
        self._env = env

    def start(self, argv: Sequence[str]) -> LocalChannel:
        """Start a child process."""
        self.execs += 1
        with contextlib.ExitStack() as undo:
            stderr = undo.enter_context(tempfile.TemporaryFile())
            try:
                process = self._spawn(argv, stderr)
            except OSError as error:
                raise HostUnreachable(
                    f"{self.name}: cannot start {argv[0]}: {error.strerror}",
                    fix=f"install {argv[0]} on this machine, or correct PATH",
                ) from error
            undo.pop_all()
        return self._channel(process, stderr)

    def _spawn(self, argv: Sequence[str], stderr: IO[bytes]) -> Process:
        # A process group of its own: Ctrl-C on the terminal reaches the controller
        # alone, which then restores the host in order. No session of its own: sudo
        # keeps its tickets per terminal.
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=None if self._env is None else dict(self._env),
            process_group=0,
        )

    def _channel(self, process: Process, stderr: IO[bytes]) -> LocalChannel:
        return LocalChannel(process, stderr)

    def close(self) -> None:
        """Nothing stays open between processes."""
