"""A stand-in for the host agent, after the contract alone, that does what a test tells it.

The real agent is tested on its own and in test_real_agent.py. This one can be told
to die, to write what is not an event, and to take its time.
"""

import contextlib
import hashlib

from runner.host import boot

SHA = hashlib.sha256(b"stand-in").hexdigest()
ZIP = b"stand-in agent " * 1000
BOOT = r"""
import hashlib, json, os, sys, time
def say(**event):
    sys.stdout.write(json.dumps(event) + "\n"); sys.stdout.flush()
def end(code=None, message="", fix=""):
    error = {"code": code, "message": message, "fix": fix} if code else None
    say(event="end", ok=not code, error=error)
def frame():
    head = sys.stdin.buffer.readline().split()
    if len(head) != 2: sys.exit(64)
    body = sys.stdin.buffer.read(int(head[0]))
    if len(body) != int(head[0]) or hashlib.sha256(body).hexdigest() != head[1].decode(): sys.exit(64)
    return body
sha, state = sys.argv[1:3]
program = json.loads(frame())
home = os.path.join(state, "agent")
if not os.path.exists(home):
    say(event="need_agent")
    agent = frame()
    with open(home, "wb") as file: file.write(agent)
with open(os.path.join(state, "programs"), "a") as file: file.write(json.dumps(program) + "\n")
name = program["program"]
if "die" in program:
    sys.stderr.write(program.get("words", "")); sys.stderr.flush()
    if program["die"] < 0: os.kill(os.getpid(), -program["die"])
    sys.exit(program["die"])
def follow(path, offset, lines):
    # copy the spool from offset on until its end event
    with open(path, "rb") as file:
        file.seek(offset)
        rest = b""
        while True:
            chunk = file.read(8192)
            if not chunk:
                time.sleep(0.01); continue
            sys.stdout.buffer.write(chunk); sys.stdout.flush()
            rest = (rest + chunk)[-200:]
            if b'"event": "end"' in rest and rest.endswith(b"\n"): return
if name == "say":
    for text in program["raw"]: sys.stdout.write(text)
    sys.stdout.flush()
    if program.get("hang"): sys.stdin.read()
elif name == "refuse":
    end(*program["error"])
elif name == "put":
    blob = os.path.join(state, program["sha256"])
    if not os.path.exists(blob):
        say(event="need_blob", sha256=program["sha256"], size=program["size"])
        data = frame()
        with open(blob, "wb") as file: file.write(data)
    say(event="blob", sha256=program["sha256"], path=blob, sent=True)
    end()
elif name in ("trial", "attach"):
    path = os.path.join(state, program["trial"])
    if name == "attach" and not os.path.exists(path):
        end("not_found", "no such trial")
        sys.exit(0)
    if name == "trial":
        if os.path.exists(path):
            end("bad_program", "trial exists")
            sys.exit(0)
        with open(path, "wb"): pass
        if os.fork() == 0:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2): os.dup2(null, fd)
            spool = open(path, "ab", 0)
            put = lambda **event: spool.write(json.dumps(event).encode() + b"\n")
            put(event="trial_started", monotonic=0)
            for n in range(program["n"]):
                put(event="sample", t=n, v=[], pad=["x" * program.get("wide", 60)])
                time.sleep(program.get("tick", 0))
            error = program.get("end")
            put(event="end", ok=not error, error=error)
            os._exit(0)
    follow(path, program.get("offset", 0), None)
else:
    end("bad_program", "unknown program " + name)
"""


@contextlib.contextmanager
def standing_in(monkeypatch):
    monkeypatch.setattr(boot, "BOOT", BOOT)
    monkeypatch.setattr(boot, "agent_sha", lambda: SHA)
    monkeypatch.setattr(boot, "agent_zip", lambda: ZIP)
    yield
