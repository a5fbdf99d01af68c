"""One conversation with the host agent: a program in, events out.

One program is one exec. BOOT and the frames are in `runner.host.boot`; this is
their other end: it sends the program, sends the agent itself when the host has
not got this version, and turns what can go wrong into the errors of
`runner.errors`.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Final

from runner.errors import (
    HostBusy,
    HostError,
    HostUnreachable,
    NeedRoot,
    ProgramRefused,
    RunnerError,
)
from runner.host import boot
from runner.records.events import AnyEvent, EventError, decode
from runner.records.host_events import End, NeedAgent, NeedBlob
from runner.records.program import thawed
from runner.transports.interface import GRACE_S, LinkLost

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from runner.records.plain import Json
    from runner.records.program import Program
    from runner.transports.interface import Channel, Transport

PROGRAM_VERSION: Final = 1
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
    ) -> None:
        """Begin; `secrets` are hidden by the host in all that it says and keeps."""
        self._secrets = list(secrets)
        self.transport = transport
        self.run_id = run_id
        self._state_dir = state_dir
        self._sudo = become and not transport.is_root
        self._said = ""  # on stderr, by an agent that failed

    @property
    def name(self) -> str:
        """What messages call the host."""
        return self.transport.name

    def argv(self) -> list[str]:
        """Give the one command that is started on the host."""
        argv = ["sudo", "-n"] if self._sudo else []
        argv += [self.transport.python, "-I", "-S", "-c", boot.BOOT, boot.agent_sha()]
        if self._state_dir is not None:
            argv.append(self._state_dir)
        return argv

    def run(self, program: Program, payload: bytes | None = None) -> Generator[AnyEvent]:
        """Run a program; yield every event as it comes, `end` included.

        Raises the class of `runner.errors` that the `error` of `end` stands for,
        after all events were handed on.
        """
        for _, event in self.stream(program, payload):
            yield event
            if isinstance(event, End):
                self.judge(event)

    def judge(self, end: End) -> None:
        """Raise what the `error` of an `end` event stands for; none, then nothing."""
        if end.error is None:
            return
        message = f"{self.name}: {end.error.message or end.error.code}"
        if self._said:
            message += f"\n{self._said}"
        raise _ERRORS.get(end.error.code, HostError)(message, fix=end.error.fix)

    def stream(
        self, program: Program, payload: bytes | None = None
    ) -> Generator[tuple[bytes, AnyEvent]]:
        """Run a program; yield each line as it came, and parsed, up to `end`.

        Raises LinkLost when the link broke, or ProgramRefused when the agent
        stopped, before `end`. `payload` is sent as one more frame when the agent
        asks for it by `need_blob`.
        """
        full: dict[str, Json] = {"version": PROGRAM_VERSION, "run": self.run_id, **program}
        if self._secrets:
            full["secrets"] = [*self._secrets]
        self._said = ""
        channel = self._start()
        grace_s = GRACE_S
        try:
            # ASCII: bytes that are not text travel as lone surrogates, which UTF-8 has not
            _send(channel, json.dumps(full, default=thawed).encode())
            for line, event in self._events(channel, payload):
                if full.get("program") in _COPIERS:
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

    def _events(self, channel: Channel, payload: bytes | None) -> Generator[tuple[bytes, AnyEvent]]:
        noise: list[str] = []
        begun = False
        for line in channel:
            text = line.decode(errors="replace").rstrip("\n")
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
                continue
            begun = True
            if isinstance(event, NeedAgent):
                _send(channel, boot.agent_zip())
                continue
            if isinstance(event, NeedBlob) and payload is not None:
                _send(channel, payload)
                continue
            ended = isinstance(event, End)
            if isinstance(event, End) and event.error and event.error.code == "internal":
                channel.exit_code()  # then its traceback is whole
                self._said = _tail(channel.stderr())
            yield line, event
            if ended:
                return
        raise self._without_end(channel, noise)

    def _without_end(self, channel: Channel, noise: list[str]) -> RunnerError:
        """Say why a stream stopped before `end`."""
        code = channel.exit_code()
        said = channel.stderr().strip()
        last = _tail(said or "\n".join(noise))
        tail = f":\n{last}" if last else ""
        # sshd tells the exit code as soon as it knows it, output still in its pipe comes after
        if code in {None, 0} and not channel.link_alive():
            return LinkLost(
                f"{self.name}: the link was lost before the program ended{tail}",
                fix="what was begun on the host is in its journal: `runner restore` undoes it, "
                "`runner attach` goes on with a trial",
            )
        if self._sudo and (code == 127 or _from_sudo(said)):
            return NeedRoot(f"{self.name}: `sudo -n` did not give root{tail}", fix=_NEED_ROOT_FIX)
        if code in {126, 127}:
            return HostUnreachable(
                f"{self.name}: cannot run {self.transport.python}{tail}",
                fix="install Python 3.9 or newer there: sudo apt install python3",
            )
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


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-20:])


def _send(channel: Channel, body: bytes) -> None:
    # nobody reads any more: the stream and the exit code say why
    with contextlib.suppress(OSError):
        channel.write(boot.frame(body))


def _from_sudo(stderr: str) -> bool:
    return any(line.startswith("sudo: ") for line in stderr.splitlines())


def _how(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
