"""Every error a user can meet, by whose fault it is.

    RunnerError
    ├── SpecError          3   the file says something that cannot be run
    ├── HostUnreachable    4   no connection, unknown host key, no python3
    ├── HostBusy           5   another run holds the host
    ├── HostError          2   the host was reached and could not do it
    │   ├── NeedRoot       2
    │   ├── HostRebooted   2   what was converged went with the boot
    │   └── ProgramRefused 2   the agent refused or did not finish a program
    ├── ToolchainError     2   Go could not be had, or did not compile
    ├── TrialError         2   a workload or a generator could not be run
    ├── RecordError        2   a run folder that cannot be read or written
    └── Interrupted       99   Ctrl-C; the state was restored
        └── LeftRunning   99   a second Ctrl-C: the trial goes on without us

The number is the exit code of the command. `fix` says what to do next.
"""

from __future__ import annotations


class RunnerError(Exception):
    """Base of all errors shown to a user; never shown as a traceback."""

    exit_code = 2

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class SpecError(RunnerError):
    """The spec is invalid; `message` holds every fault, ready to print."""

    exit_code = 3


class HostUnreachable(RunnerError):  # noqa: N818 - the word users read
    """No connection to the host."""

    exit_code = 4


class HostBusy(RunnerError):  # noqa: N818 - the word users read
    """Another run holds the host."""

    exit_code = 5


class HostError(RunnerError):
    """The host was reached and could not do what was asked."""


class NeedRoot(HostError):  # noqa: N818 - the word users read
    """Something needs root; the message names everything that does."""


class HostRebooted(HostError):  # noqa: N818 - says what happened
    """The host was started anew in the middle of a run: what was converged went with the boot."""


class ProgramRefused(HostError):  # noqa: N818 - the word users read
    """The agent refused a program, or its stream ended without `end`."""


class ToolchainError(RunnerError):
    """Go of the asked version could not be had, or did not compile the program."""


class TrialError(RunnerError):
    """A workload or a generator could not be run at all."""


class RecordError(RunnerError):
    """A run folder cannot be read or written."""


class Interrupted(RunnerError):  # noqa: N818 - the word users read
    """Ctrl-C; the host was restored."""

    exit_code = 99


class LeftRunning(Interrupted):
    """A second Ctrl-C: the trial was left running, and the host as it is."""
