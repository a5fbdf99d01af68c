"""One conversation with the host agent: a program in, events out.

One program is one exec. BOOT and the frames are in `runner.host.boot`; this is
their other end: it sends the program, sends the agent itself when the host has
not got this version, and turns what can go wrong into the errors of
`runner.errors`.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Final

from runner.errors import (
    HostBusy,
    HostError,
    HostRebooted,
    HostUnreachable,
    NeedRoot,
    ProgramRefused,
    RunnerError,
)
from runner.executor.completeness import Completeness
from runner.executor.limits import limits
from runner.host import boot
from runner.records.events import AnyEvent, EventError, decode
from runner.records.host_events import End, NeedAgent, NeedBlob
from runner.records.program import thawed
from runner.transports.interface import GRACE_S, LinkLost

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from runner.records.program import Program
    from runner.transports.interface import Channel, Transport

PROGRAM_VERSION: Final = 1
UPLOADS: Final = 5
"""How often the agent is sent on where a link broke under it."""
UPLOAD_PAUSE_S: Final = 0.5
NOISE_LINES: Final = 30
NOISE_BYTES: Final = 2000
_COPIERS: Final = frozenset({"trial", "attach"})
_NEED_ROOT_FIX: Final = (
    "allow it without a password (`<user> ALL=(ALL) NOPASSWD: ALL` by `sudo visudo`), "
    "or connect as root"
)
_ERRORS: Final[Mapping[str, type[RunnerError]]] = {
    "bad_program": ProgramRefused,
    "busy": HostBusy,
    "need_root": NeedRoot,
    "disk_full": HostError,
    "internal": ProgramRefused,
    "not_found": HostError,
    "rebooted": HostRebooted,
}


class StreamCut(ProgramRefused):
    """The agent stopped before `end`, the link did not: killed, or out of memory."""


class Agent:
    """The agent on one host, for one run."""

    def __init__(
        self,
        transport: Transport,
        *,
        run_id: str,
        state_dir: str | None = None,
        become: bool = False,
        secrets: Sequence[str] = (),
        on_quiet: Callable[[str], None] | None = None,
        job: int | None = None,
    ) -> None:
        """Begin; `secrets` are hidden by the host in all that it says and keeps.

        `job` is that of a queue: the host refuses it once a later one has taken it over.

        `on_quiet` is told of a host that is not heard of, while it is waited for.
        """
        self._secrets = list(secrets)
        self.transport = transport
        self.run_id = run_id
        self._state_dir = state_dir
        self._sudo = become and not transport.is_root
        self._stderr = ""  # on stderr, by an agent that failed
        self._uploading = False
        self._on_quiet = on_quiet
        self.job = job
        self._limits = limits()

    @property
    def name(self) -> str:
        """What messages call the host."""
        return self.transport.name

    def argv(self) -> list[str]:
        """Give the one command that is started on the host."""
        argv = ["sudo", "-n"] if self._sudo else []
        return argv + boot.command(self._state_dir, self.transport.python)

    def run(self, program: Program, payload: bytes | None = None) -> Generator[AnyEvent]:
        """Run a program; yield every event as it comes, `end` included.

        Raises the class of `runner.errors` that the `error` of `end` stands for,
        after all events were handed on.
        """
        whole = Completeness(program)
        with contextlib.closing(self.stream(program, payload)) as stream:
            for _, event in stream:
                whole.saw(event)
                if isinstance(event, End) and event.ok and whole.lacking():
                    raise ProgramRefused(
                        f"{self.name}: the {program.get('program')} ended without "
                        f"{whole.lacking()}",
                        fix="is that host what it seems? look at it by hand before you go on",
                    )
                yield event
                if isinstance(event, End):
                    self.judge(event)

    def judge(self, end: End) -> None:
        """Raise what the `error` of an `end` event stands for; none, then nothing."""
        if end.error is None:
            return
        message = f"{self.name}: {end.error.message or end.error.code}"
        if self._stderr:
            message += f"\n{self._stderr}"
        raise _ERRORS.get(end.error.code, HostError)(message, fix=end.error.fix)

    def stream(
        self, program: Program, payload: bytes | None = None
    ) -> Generator[tuple[bytes, AnyEvent]]:
        """Run a program; yield each line as it came, and parsed, up to `end`.

        Raises LinkLost when the link broke, or ProgramRefused when the agent
        stopped, before `end`. `payload` is sent as one more frame when the agent
        asks for it by `need_blob`.
        """
        full: dict[str, object] = {"version": PROGRAM_VERSION, "run": self.run_id, **program}
        if self._secrets:
            full["secrets"] = [*self._secrets]
        if self.job is not None:
            full["job"] = self.job
        for attempt in range(1, UPLOADS + 1):
            self._uploading = False
            try:
                yield from self._conversation(full, payload)
            except LinkLost:
                # the program was not begun: what has arrived of the agent is kept there
                if not self._uploading or attempt == UPLOADS:
                    raise
                time.sleep(attempt * UPLOAD_PAUSE_S)
            else:
                return

    def _conversation(
        self, full: Program, payload: bytes | None
    ) -> Generator[tuple[bytes, AnyEvent]]:
        self._stderr = ""
        channel = self._start()
        grace_s = GRACE_S
        copies = full.get("program") in _COPIERS
        try:
            # ASCII: bytes that are not text travel as lone surrogates, which UTF-8 has not
            _send(channel, json.dumps(full, default=thawed).encode())
            for line, event in self._events(channel, payload, endless=copies):
                if copies:
                    grace_s = 0.1  # it only copies a spool by now; the trial is another process
                yield line, event
        finally:
            channel.close(grace_s)

    def _start(self) -> Channel:
        try:
            return self.transport.start(self.argv())
        except HostUnreachable as error:
            if self._sudo and isinstance(error.__cause__, FileNotFoundError):
                raise NeedRoot(f"{self.name}: there is no sudo", fix=_NEED_ROOT_FIX) from error
            raise

    def _events(
        self, channel: Channel, payload: bytes | None, *, endless: bool
    ) -> Generator[tuple[bytes, AnyEvent]]:
        noise: list[str] = []
        begun = False
        count = 0
        for line in self._lines(channel, endless=endless):
            text = line[:NOISE_BYTES].decode(errors="replace").rstrip("\n")
            if not line.endswith(b"\n"):
                noise.append(text)
                break  # cut in the middle of a line
            try:
                event = decode(line)
            except EventError as error:
                if begun:
                    raise ProgramRefused(
                        f"{self.name}: the agent wrote a line that is not an event ({error}): "
                        f"{text[:200]!r}",
                        fix="report this with the line",
                    ) from None
                noise.append(text)  # what a start-up file of the login shell printed
                del noise[:-NOISE_LINES]
                continue
            begun = True
            count += 1
            if count > self._limits.events:
                raise self._limits.refuse(self.name, "events")
            if isinstance(event, NeedAgent):
                self._uploading = True
                _send(channel, boot.agent_zip()[max(0, event.have) :])
                continue
            self._uploading = False
            if isinstance(event, NeedBlob) and payload is not None:
                _send(channel, payload)
                continue
            ended = isinstance(event, End)
            if isinstance(event, End) and event.error and event.error.code == "internal":
                channel.exit_code()  # then its traceback is whole
                self._stderr = _tail(channel.stderr())
            yield line, event
            if ended:
                return
        raise self._without_end(channel, noise)

    def _lines(self, channel: Channel, *, endless: bool) -> Iterator[bytes]:
        """Give the lines that may be events, within the limits; an empty one is a sign of life."""
        size = 0
        began = time.monotonic()
        for line in channel.lines(self._limits.bounds(self.name, self._quiet)):
            if not endless and time.monotonic() - began > self._limits.program_s:
                raise self._limits.refuse(self.name, "program_s")
            if line == b"\n":
                continue
            size += len(line)
            if size > self._limits.stream_bytes:
                raise self._limits.refuse(self.name, "stream_bytes")
            yield line

    def _quiet(self, quiet_s: float) -> None:
        if self._on_quiet is not None:
            left_s = self._limits.silent_s - quiet_s
            self._on_quiet(
                f"{self.name}: nothing heard for {quiet_s:.0f} s; the link counts as lost in "
                f"{max(0.0, left_s):.0f} s"
            )

    def _without_end(self, channel: Channel, noise: list[str]) -> RunnerError:
        """Say why a stream stopped before `end`."""
        code = channel.exit_code()
        stderr = channel.stderr().strip()
        last = _tail(stderr or "\n".join(noise))
        tail = f":\n{last}" if last else ""
        # sshd tells the exit code as soon as it knows it, output still in its pipe comes after
        if code in {None, 0} and not channel.link_alive():
            return LinkLost(
                f"{self.name}: the link was lost before the program ended{tail}",
                fix="what was begun on the host is in its journal: `runner restore` undoes it, "
                "`runner attach` goes on with a trial",
            )
        if _lacks(stderr, self.transport.python):
            return self._no_python(tail)
        if self._sudo and (code == 127 or _from_sudo(stderr)):
            return NeedRoot(f"{self.name}: `sudo -n` did not give root{tail}", fix=_NEED_ROOT_FIX)
        if code in {126, 127}:
            return self._no_python(tail)
        if code == 64:
            return ProgramRefused(
                f"{self.name}: the program arrived damaged; nothing was done{tail}",
                fix="run the command again",
            )
        how = "without an exit code" if code is None else _how(code)
        return StreamCut(
            f"{self.name}: the agent ended {how} before the program did{tail}",
            fix="`runner restore` undoes what the host's journal holds",
        )

    def _no_python(self, tail: str) -> HostUnreachable:
        return HostUnreachable(
            f"{self.name}: cannot run {self.transport.python}{tail}",
            fix="install Python 3.9 or newer there: sudo apt install python3, or name one: "
            "python in hosts.yaml",
        )


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-20:])


def _send(channel: Channel, body: bytes) -> None:
    # nobody reads any more: the stream and the exit code say why
    with contextlib.suppress(OSError):
        channel.write(boot.frame(body))


def _lacks(stderr: str, python: str) -> bool:
    """Whether a shell, or sudo, says that there is no such program."""
    wrong = (f"{python}: command not found", f"{python}: not found", f"{python}: no such file")
    return any(one in line.lower() for line in stderr.splitlines() for one in wrong)


def _from_sudo(stderr: str) -> bool:
    return any(line.startswith("sudo: ") for line in stderr.splitlines())


def _how(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
