"""How the agent gets to a host and starts: one exec, one frame.

    python3 -I -S -c BOOT <agent-sha256> [<state-dir>]

The controller's end of it. BOOT is one constant text; the agent itself follows
only where the host has not got this version yet.
"""

from __future__ import annotations

import binascii
import functools
import hashlib
import io
import os
import zipfile
from typing import List, Optional

PACKAGE = "runner_host"

# Its first word is an empty line, which parts it from what a start-up file of the login
# shell printed last; later ones say that it lives. Every step that could be cut leaves
# nothing, a part that an upload goes on with, or the whole: the agent's folder gets its
# name only when its files are on the disk. It is compiled by a child, once: what compiling
# takes (1.5 MB) stays with the process that does it, and may be the one that samples a
# trial.
BOOT = """\
import sys, os, signal
def beat(*_):
    try: os.write(1, bytes([10]))
    except OSError: signal.setitimer(signal.ITIMER_REAL, 0)
beat()
signal.signal(signal.SIGALRM, beat)
signal.setitimer(signal.ITIMER_REAL, 5, 5)
try: from _sha256 import sha256
except ImportError: from hashlib import sha256
def head():
    words = sys.stdin.buffer.readline(100).split()
    if len(words) < 2 or not words[0].isdigit() or int(words[0]) > 1 << 28: sys.exit(64)
    return int(words[0]), words[1]
def take():
    size, want = head()
    data = sys.stdin.buffer.read(size)
    if len(data) < size or not sha256(data).hexdigest().encode() == want: sys.exit(64)
    return data
program = take()
import json, time
def say(event, **more):
    print(json.dumps(dict(event=event, at=time.time(), **more)), flush=True)
def stop(code, message, fix):
    say("end", ok=False, error=dict(code=code, message=message, fix=fix))
    sys.exit(1)
if sys.version_info < (3, 9):
    stop("internal", "Python " + sys.version.split()[0] + " is too old", "install Python 3.9")
try:
    program = json.loads(program)
except ValueError as fault:
    stop("bad_program", "the program is not JSON: " + str(fault), "")
want = sys.argv[1]
if len(sys.argv) > 2: state = sys.argv[2]
elif os.geteuid() == 0: state = "/var/lib/runner"
else: state = os.path.expanduser("~/.local/state/runner")
home = os.path.join(os.path.abspath(state), "agent", want)
def whole():
    try:
        with open(os.path.join(home, "files.json")) as file: sizes = json.load(file)
        return all(os.path.getsize(os.path.join(home, name)) == sizes[name] for name in sizes)
    except (OSError, ValueError): return False
mine = os.path.join(os.path.abspath(state), "agent-" + want[:16] + ".part")
def drop(path):
    try: os.unlink(path)
    except FileNotFoundError: pass
def upload():
    import fcntl
    for name in os.listdir(state):
        old = name.startswith("agent-") and name.endswith(".part")
        if old and not name.startswith("agent-" + want[:16]): drop(os.path.join(state, name))
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    name = mine
    part = os.open(name, flags, 0o600)
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        name = mine[:-5] + "." + str(os.getpid()) + ".part"
        part = os.open(name, flags | os.O_EXCL, 0o600)
    if os.fstat(part).st_size > 1 << 24: os.ftruncate(part, 0)
    have = os.fstat(part).st_size
    say("need_agent", have=have)
    size, _ = head()
    while size > 0:
        data = sys.stdin.buffer.read1(min(size, 65536))
        if not data: sys.exit(64)
        size -= len(data)
        while data: data = data[os.write(part, data):]
    pack = os.pread(part, 1 << 24, 0)
    drop(name)
    os.close(part)
    if not sha256(pack).hexdigest() == want: sys.exit(64)
    return pack
try:
    os.makedirs(state, 0o700, exist_ok=True)
    if not os.stat(state).st_uid == os.geteuid():
        stop("bad_program", state + " belongs to someone else", "name another state folder")
    os.chmod(state, 0o700)
    if not whole():
        pack = upload()
        import io, shutil, zipfile
        part = home + "." + str(os.getpid())
        zipfile.ZipFile(io.BytesIO(pack)).extractall(part)
        sizes = dict()
        for folder, _, names in os.walk(part):
            for path in [os.path.join(folder, name) for name in names]:
                sizes[os.path.relpath(path, part)] = os.path.getsize(path)
        with open(os.path.join(part, "files.json"), "w") as file: json.dump(sizes, file)
        for folder, _, names in os.walk(part):
            for path in [os.path.join(folder, name) for name in names] + [folder]:
                fd = os.open(path, os.O_RDONLY)
                os.fsync(fd)
                os.close(fd)
        if os.path.isdir(home) and not whole():
            os.rename(home, part + ".damaged")
            shutil.rmtree(part + ".damaged", True)
        try:
            os.rename(part, home)
        except OSError:
            shutil.rmtree(part)
            if not whole(): raise
        child = os.fork()
        if child == 0:
            import compileall
            try: compileall.compile_dir(home, quiet=2)
            finally: os._exit(0)
        os.waitpid(child, 0)
except OSError as fault:
    why = "cannot keep the agent in " + state + ": " + str(fault)
    fix = "name another folder for it: state in hosts.yaml"
    if fault.errno in (28, 122): stop("disk_full", why, "free some space there, or " + fix)
    stop("internal", why, "make it writable, or " + fix)
sys.path.insert(0, home)
from runner_host import main
sys.exit(main.run(program, state))
"""


def one_line(text: str) -> str:
    """Give a program as one line that every shell hands on as it is.

    A C shell ends a quoted word at the end of a line.
    """
    packed = binascii.b2a_base64(text.encode(), newline=False).decode()
    return f'import binascii;exec(binascii.a2b_base64("{packed}"))'


def frame(data: bytes) -> bytes:
    """Wrap bytes so that the other end can tell whole from cut or damaged."""
    return b"%d %s\n" % (len(data), hashlib.sha256(data).hexdigest().encode()) + data


@functools.lru_cache(maxsize=None)
def agent_zip() -> bytes:
    """Pack the agent: the same bytes on every controller for the same sources.

    Stored and not deflated, since zlib's output differs between its versions and
    every difference would be one more agent on the host and in the record.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as pack:
        for name in _sources(here):
            entry = zipfile.ZipInfo(f"{PACKAGE}/{name}", (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            with open(os.path.join(here, name), "rb") as file:
                pack.writestr(entry, file.read())
    return packed.getvalue()


def _sources(here: str) -> List[str]:
    """Name the agent's modules, relative to its folder and sorted."""
    paths = []
    for folder, _, names in os.walk(here):
        inside = os.path.relpath(folder, here)
        paths += [os.path.normpath(os.path.join(inside, n)) for n in names if n.endswith(".py")]
    return sorted(paths)


@functools.lru_cache(maxsize=None)
def agent_sha() -> str:
    """Name this version of the agent."""
    return hashlib.sha256(agent_zip()).hexdigest()


def command(state_dir: Optional[str] = None, python: str = "python3") -> List[str]:
    """Give the argv that starts the agent."""
    argv = [python, "-I", "-S", "-c", one_line(BOOT), agent_sha()]
    return [*argv, *([state_dir] if state_dir else [])]
