"""Starting a program so that it is in its place before its first instruction.

fork, then in the child: own session, CPUs, address-space personality, the control
groups, and last of all the limits, which bind this interpreter too; then exec. A pipe
that closes at exec tells the parent how far the child came, so "could not be started"
is never read as "ran and exited 127". No shell is involved anywhere.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import struct
import time

from ..which import which

_WARM_BYTES = 1 << 20

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Mapping, NoReturn, Optional, Sequence, Tuple

    from .loop import Loop

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ADDR_NO_RANDOMIZE = 0x0040000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STAGES = ("session", "cpus", "aslr", "cwd", "cgroup", "limits", "exec", "user", "stdin")

_libc = ctypes.CDLL(None, use_errno=True)


class StartFailed(Exception):  # noqa: N818 - says what happened
    """The program was not started; `stage` is one of STAGES."""

    def __init__(self, stage: str, code: int, what: str) -> None:
        super().__init__(f"{what}: {stage}: {os.strerror(code)}")
        self.stage, self.errno = stage, code

    @property
    def kind(self) -> str:
        """Error code of the contract."""
        if self.errno == errno.ENOENT and self.stage == "exec":
            return "not_found"
        if self.errno == errno.EPERM:
            return "need_root"
        return "bad_program"


class Start:
    """What to start and where. None leaves a thing as it is.

    `limits` are [soft, hard] by the name of a limit, -1 for unlimited; `user` is (uid, gid,
    groups); `stdin` is {"text": …} or {"path": …}, and nothing to be read where it is None.
    """

    def __init__(  # noqa: PLR0913  # it is the request itself
        self,
        argv: Sequence[str],
        *,
        env: Optional[Dict[str, str]] = None,
        cwd: Optional[str] = None,
        join: Sequence[str] = (),
        limits: Optional[Mapping[str, Sequence[int]]] = None,
        cpus: Optional[Sequence[int]] = None,
        aslr: bool = True,
        user: Optional[Tuple[int, int, Sequence[int]]] = None,
        umask: Optional[int] = None,
        stdin: Optional[Mapping[str, str]] = None,
    ) -> None:
        self.argv, self.cwd, self.join = list(argv), cwd, list(join)
        self.limits = {_number_of(name): pair for name, pair in (limits or {}).items()}
        self.cpus, self.aslr = cpus, aslr
        self.user, self.umask, self.stdin = user, umask, stdin
        # The agent's own environment is not the experiment's: only where programs and home are.
        self.env = {"PATH": os.environ.get("PATH", PATH), "HOME": os.environ.get("HOME", "/")}
        self.env.update(env or {})


_BEGAN = struct.Struct("=cd")
"""What a child says right before exec: `t` and the time."""


class Child:
    """A started child: `out` and `err` are the read ends of its output.

    `began` is when it was about to be exec'ed (monotonic, s), `floor_bytes` what this
    process had in memory at most: the kernel counts that for the child too.
    """

    def __init__(self, pid: int, out: int, err: int, began: float, floor_bytes: int) -> None:
        self.pid, self.out, self.err = pid, out, err
        self.began, self.floor_bytes = began, floor_bytes


def _number_of(name: str) -> int:
    """Give the number of a limit by its name, `nofile` for RLIMIT_NOFILE."""
    return int(getattr(resource, f"RLIMIT_{name.upper()}"))


def adopt() -> None:
    """Make orphans of our children ours: a workload that forks away is still found and ended."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def spawn(start: Start, loop: Loop, within_s: float = 30.0) -> Child:
    """Start a program and wait, with the loop running, until it is exec'ed.

    Raises StartFailed when a stage failed, or when exec did not happen in time (a group
    whose limit is too small to map the program in).
    """
    path = _find(start)
    source = _input(start)
    out, out_in = os.pipe2(os.O_CLOEXEC)
    err, err_in = os.pipe2(os.O_CLOEXEC)
    report_out, report_in = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _child(start, path, (out_in, err_in, report_in, source), parent)
    loop.born(pid)
    for fd in (out_in, err_in, report_in, source):
        os.close(fd)
    for fd in (out, err, report_out):
        os.set_blocking(fd, False)
    report = bytearray()
    over: List[bool] = []

    def hear() -> None:
        heard = os.read(report_out, 64)
        report.extend(heard)
        if not heard:  # exec closed it, or the child is gone
            over.append(True)
            loop.forget(report_out)

    loop.reader(report_out, hear)
    try:
        ready = loop.wait(within_s, lambda: bool(over))
    finally:
        loop.forget(report_out)
        os.close(report_out)
    # the time before exec, and then nothing more where exec succeeded
    failed = bytes(report[_BEGAN.size :] if report[:1] == b"t" else report)
    if not ready or failed or not report:
        kill([pid], signal.SIGKILL)
        loop.wait(within_s, lambda: loop.exit_of(pid) is not None)
        os.close(out)
        os.close(err)
        stage, code = struct.unpack("=ii", failed) if failed else (6, errno.ETIMEDOUT)
        raise StartFailed(STAGES[stage], code, start.argv[0])
    floor_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Child(pid, out, err, _BEGAN.unpack(bytes(report[: _BEGAN.size]))[1], floor_bytes)


def _find(start: Start) -> str:
    """Absolute path of the program, looked up here: the child does as little as it can."""
    name = start.argv[0]
    path = name if "/" in name else which(name, start.env["PATH"])
    if path is None:
        raise StartFailed("exec", errno.ENOENT, name)
    return path


def _input(start: Start) -> int:
    """Open what the program reads: nothing, a text, or a file of this host."""
    if start.stdin is None:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    if "text" in start.stdin:
        source = os.memfd_create("stdin")
        with open(source, "wb", closefd=False) as file:
            file.write(start.stdin["text"].encode("utf-8", "surrogateescape"))
        os.lseek(source, 0, os.SEEK_SET)
        return source
    try:
        return os.open(start.stdin["path"], os.O_RDONLY | os.O_CLOEXEC)
    except OSError as fault:
        raise StartFailed("stdin", fault.errno or errno.ENOENT, start.stdin["path"]) from fault


def _become(start: Start) -> None:
    """Take the umask and the user that are asked for."""
    if start.umask is not None:
        os.umask(start.umask)
    if start.user is not None and os.geteuid() != start.user[0]:
        os.setgroups(start.user[2])
        os.setgid(start.user[1])
        os.setuid(start.user[0])
        # of another user the kernel forgets it
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _child(start: Start, path: str, fds: Sequence[int], parent: int) -> NoReturn:
    stage = 0
    try:
        os.setsid()
        # With the supervisor gone nobody would end it. The flag survives exec, not fork.
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.dup2(fds[3], 0)
        os.dup2(fds[0], 1)
        os.dup2(fds[1], 2)
        stage = 1
        if start.cpus is not None:
            os.sched_setaffinity(0, start.cpus)
        stage = 2
        if not start.aslr and _libc.personality(ADDR_NO_RANDOMIZE) == -1:
            raise OSError(ctypes.get_errno(), "personality")  # noqa: TRY301 - told to the parent below
        stage = 4
        # Late, before exec: what this interpreter touches from here on is charged to the group.
        for folder in start.join:
            fd = os.open(folder + "/cgroup.procs", os.O_WRONLY)
            os.write(fd, b"0")
            os.close(fd)
        stage = 5
        for limit, pair in start.limits.items():
            resource.setrlimit(limit, (pair[0], pair[1]))
        stage = 7
        _become(start)
        stage = 3
        if start.cwd is not None:
            os.chdir(start.cwd)
        stage = 6
        os.write(fds[2], _BEGAN.pack(b"t", time.monotonic()))
        os.execve(path, start.argv, start.env)  # noqa: S606 - an argv list, no shell
    except BaseException as fault:  # noqa: BLE001 - nothing may return into the parent's code
        # setrlimit raises ValueError where the hard limit may not be raised
        out_of_memory = isinstance(fault, MemoryError)
        code = getattr(fault, "errno", None) or (errno.ENOMEM if out_of_memory else errno.EPERM)
        os.write(fds[2], struct.pack("=ii", stage, code))
    finally:
        os._exit(127)


def descendants(of: int) -> List[int]:
    """Live processes below `of`, nearest first; zombies are left out."""
    children: Dict[int, List[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                words = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if words[0] not in (b"Z", b"X"):
            children.setdefault(int(words[1]), []).append(int(name))
    pids: List[int] = []
    nearest = [of] if of else []
    while nearest:
        nearest = [child for pid in nearest for child in children.get(pid, [])]
        pids += nearest
    return pids


def ask_to_end(
    loop: Loop, pid: int, number: int, within_s: float, left: Callable[[], List[int]]
) -> None:
    """Signal a process, and once it has ended what it left behind: that sums up at its end, too.

    A shell or `timeout` ends at once, and may not pass the signal on.
    """
    until = time.monotonic() + within_s
    if loop.exit_of(pid) is None:
        kill([pid], number)
        loop.wait(within_s, lambda: loop.exit_of(pid) is not None)
    if loop.exit_of(pid) is not None:
        kill(left(), number)
        loop.wait(max(0.0, until - time.monotonic()), lambda: not left())


def end_all(loop: Loop, within_s: float = 5.0) -> None:
    """Kill everything below this process, orphans too (see `adopt`)."""

    def none_left() -> bool:
        # again and again: one may fork while the list is gone through
        pids = descendants(os.getpid())
        kill(pids, signal.SIGKILL)
        return not pids

    loop.wait(within_s, none_left)


def kill(pids: Sequence[int], number: int) -> None:
    """Send a signal to each; those already gone are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def warm(path: str) -> None:
    """Read a file, so that its page cache is charged to this process and not to the workload."""
    with open(path, "rb", buffering=0) as file:
        while file.read(_WARM_BYTES):
            pass
