"""How the agent gets to a host and starts: one exec, one frame.

    python3 -I -S -c BOOT <agent-sha256> [<state-dir>]

The controller's end of it. BOOT is one constant text; the agent itself follows
only where the host has not got this version yet.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zipfile
from typing import List, Optional

PACKAGE = "runner_host"

# Safe between single quotes in any shell: no quote, dollar, backtick, backslash or
# exclamation mark in it. Every step that could be cut leaves either nothing or the
# whole: the agent's folder gets its name only when its files are on the disk. It is
# compiled by a child, once: what compiling takes (1.5 MB) stays with the process that
# does it, and may be the one that samples a trial.
BOOT = """\
import sys, os
try: from _sha256 import sha256
except ImportError: from hashlib import sha256
def take():
    head = sys.stdin.buffer.readline(100).split()
    if len(head) < 2 or not head[0].isdigit() or int(head[0]) > 1 << 28: sys.exit(64)
    data = sys.stdin.buffer.read(int(head[0]))
    if len(data) < int(head[0]): sys.exit(64)
    if not sha256(data).hexdigest().encode() == head[1]: sys.exit(64)
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
try:
    os.makedirs(state, 0o700, exist_ok=True)
    if not os.stat(state).st_uid == os.geteuid():
        stop("bad_program", state + " belongs to someone else", "name another state folder")
    os.chmod(state, 0o700)
    if not os.path.isdir(home):
        say("need_agent")
        import io, shutil, zipfile
        pack = take()
        if not sha256(pack).hexdigest() == want: sys.exit(64)
        part = home + "." + str(os.getpid())
        zipfile.ZipFile(io.BytesIO(pack)).extractall(part)
        for folder, _, names in os.walk(part):
            for path in [os.path.join(folder, name) for name in names] + [folder]:
                fd = os.open(path, os.O_RDONLY)
                os.fsync(fd)
                os.close(fd)
        try:
            os.rename(part, home)
        except OSError:
            shutil.rmtree(part)
            if not os.path.isdir(home): raise
        child = os.fork()
        if child == 0:
            import compileall
            try: compileall.compile_dir(home, quiet=2)
            finally: os._exit(0)
        os.waitpid(child, 0)
except OSError as fault:
    full = fault.errno in (28, 122)
    why = "cannot keep the agent in " + state + ": " + str(fault)
    stop("disk_full" if full else "internal", why, "free some space there, or name another folder")
sys.path.insert(0, home)
from runner_host import main
sys.exit(main.run(program, state))
"""


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
    found = []
    for folder, _, names in os.walk(here):
        inside = os.path.relpath(folder, here)
        found += [os.path.normpath(os.path.join(inside, n)) for n in names if n.endswith(".py")]
    return sorted(found)


@functools.lru_cache(maxsize=None)
def agent_sha() -> str:
    """Name this version of the agent."""
    return hashlib.sha256(agent_zip()).hexdigest()


def command(state_dir: Optional[str] = None, python: str = "python3") -> List[str]:
    """Give the argv that starts the agent."""
    return [python, "-I", "-S", "-c", BOOT, agent_sha(), *([state_dir] if state_dir else [])]
