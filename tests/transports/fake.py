"""A host made of a fork of this process: for tests that need the real agent, fast.

`python -c TEXT` is run in the fork itself, without starting an interpreter, and
everything else by exec. Links break on order: `cuts` says after how many bytes of
stdout each next process loses its link, `down` refuses new ones.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback
import warnings
from typing import IO, TYPE_CHECKING, Any, NoReturn

from runner.errors import HostUnreachable
from runner.transports.local import LocalChannel, LocalTransport, Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.transports.bounds import Bounds


class _Fork:
    """A forked child with pipes at its stdin and stdout."""

    def __init__(self, argv: Sequence[str], stderr: IO[bytes]) -> None:
        child_in, parent_in = os.pipe()
        parent_out, child_out = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # a test process has threads; the child execs or runs plain code, and then ends
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if not self.pid:  # pragma: no cover - the child is not traced
            _child(argv, (child_in, child_out, stderr.fileno()))
        os.close(child_in)
        os.close(child_out)
        self.stdin: IO[bytes] = os.fdopen(parent_in, "wb", 0)
        self.stdout: IO[bytes] = os.fdopen(parent_out, "rb")
        self._code: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the child."""
        until = time.monotonic() + (timeout or 0)
        while self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            elif timeout is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired("fork", timeout)
            else:
                time.sleep(0.001)
        return self._code

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._code is None:
            os.kill(self.pid, number)


def _child(argv: Sequence[str], pipes: tuple[int, int, int]) -> NoReturn:  # pragma: no cover
    """Be the process on the host; never returns."""
    code = 1
    try:
        os.setpgid(0, 0)
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as in any Python
        for fd, pipe in enumerate(pipes):
            os.dup2(pipe, fd)
        os.closerange(3, 4096)
        sys.stdin, sys.stdout, sys.stderr = (
            open(fd, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            for fd, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        if argv[0] == sys.executable and "-c" in argv:
            code = _interpret(argv[argv.index("-c") + 1 :])
        else:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            code = 127
            os.execvp(argv[0], list(argv))
    except BaseException:  # noqa: BLE001 - nothing may leave the child
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _interpret(argv: Sequence[str]) -> int:  # pragma: no cover - runs in the child
    """Do as `python -c` does; gives the exit code."""
    text, *rest = argv
    sys.argv = ["-c", *rest]
    sys.settrace(None)
    sys.setprofile(None)
    space: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    try:
        exec(compile(text, "<string>", "exec"), space)
    except SystemExit as stop:
        if isinstance(stop.code, str):
            sys.stderr.write(stop.code + "\n")
            return 1
        return int(stop.code or 0)
    return 0


class FakeChannel(LocalChannel):
    """A fork whose link may break."""

    def __init__(
        self, process: Process, stderr: IO[bytes], cut_after: int | None, *, code_first: bool
    ) -> None:
        super().__init__(process, stderr)
        self._left = cut_after
        self._code_first = code_first
        self._cut = False

    def lines(self, bounds: Bounds) -> Iterator[bytes]:
        """Stdout by lines, up to the cut."""
        for line in super().lines(bounds):
            if self._left is not None:
                if len(line) > self._left:
                    self._cut = True
                    if self._left:
                        yield line[: self._left]
                    return
                self._left -= len(line)
            yield line

    def write(self, data: bytes) -> None:
        """Send all of `data`, over a whole link only."""
        if self._cut:
            raise BrokenPipeError("the link is cut")
        super().write(data)

    def exit_code(self, timeout_s: float = 10.0) -> int | None:
        """Wait for the child; over a broken link only what was told before its output."""
        heard = self._closed or self._code_first or not self._cut
        return super().exit_code(timeout_s) if heard else None

    def link_alive(self) -> bool:
        """Whether it was not cut yet."""
        return not self._cut


class FakeTransport(LocalTransport):
    """Forks of this process, and links that break on order.

    `code_first`: as sshd may do, the exit code is told before the last output is sent.
    """

    def __init__(
        self, *, name: str = "fake", cuts: Iterable[int | None] = (), code_first: bool = False
    ) -> None:
        super().__init__(name=name)
        self._code_first = code_first
        self.down = False
        self._cuts = iter(cuts)

    def _spawn(self, argv: Sequence[str], stderr: IO[bytes]) -> Process:
        if self.down:
            raise HostUnreachable(f"{self.name}: nothing answers", fix="it is down on purpose")
        return _Fork(argv, stderr)

    def _channel(self, process: Process, stderr: IO[bytes]) -> FakeChannel:
        return FakeChannel(process, stderr, next(self._cuts, None), code_first=self._code_first)
