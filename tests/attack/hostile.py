"""A host that plays a case, in place of its Python: `hostile.py CASE REAL …` passes all on but for that.

It starts the real agent and hands its lines on as the case has them. Standard library alone.
"""

import json
import os
import subprocess
import sys
import time

CASE, REAL = sys.argv[1:3]


def say(data):
    while data:
        data = data[os.write(1, data) :]


def forever(data):
    while True:
        say(data)


def facts(make):
    """Change the facts alone."""
    return lambda event: {**event, "facts": make(event["facts"])} if "facts" in event else event


CHANGED = {
    "nan": facts(lambda found: dict.fromkeys(found, float("nan"))),
    "huge numbers": facts(lambda found: {**found, "cpu.count": 10**400, "mem.total": -1}),
}
"""What becomes of an event; None leaves it out."""


def fact_for_ever(_):
    say(b'{"event":"facts","facts":{"a":"')
    forever(b"y" * 65536)


BEFORE = {
    "silent after a while": lambda _: time.sleep(600),
    "many events": lambda _: forever(b'{"event":"idle_started","at":1}\n' * 1000),
    "much": lambda _: forever(b'{"event":"value","id":"' + b"x" * 60000 + b'"}\n'),
    "much on stderr": lambda _: [os.write(2, b"E" * 65536) for _ in range(800)],
    "one line for ever": fact_for_ever,
}
"""What is done before an event is handed on."""
AT_ONCE = {
    "exits": lambda: sys.exit(0),
    "not there": lambda: sys.exit(127),
    "silent": lambda: time.sleep(600),
    "endless line": lambda: forever(b"x" * 65536),
    "noise": lambda: forever(b"Welcome to this board\n" * 1000),
}


def main():
    AT_ONCE.get(CASE, lambda: None)()
    real = subprocess.Popen([REAL, *sys.argv[3:]], stdout=subprocess.PIPE)
    for line in real.stdout:
        event = json.loads(line) if line.strip() else None
        if event is None or event["event"] in ("need_agent", "need_blob"):
            say(line)
            continue
        BEFORE.get(CASE, lambda _: None)(line)
        said = CHANGED.get(CASE, lambda found: found)(event)
        if said is not None:
            say(json.dumps(said).encode() + b"\n")
    sys.exit(real.wait())


main()
