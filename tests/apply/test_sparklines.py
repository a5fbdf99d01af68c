"""Metrics as small lines in a real run, on a real terminal."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

from runner.cli.sparklines import BLOCKS

GROWS = """\
import time
held = []
for n in range(25):
    held.append(b"x" * 2**20)
    time.sleep(0.08)
print("took=3")
"""
SPEC = """\
schema: experiment/1
name: drawn
hosts: {{server: local}}
sample: {{hz: 10}}
workload: {{argv: [{python}, {program}], run: once}}
repeat: 3
metrics:
  rss: {{from: procfs.rss, unit: MiB}}
  faults: {{from: procfs.minor_faults}}
  took: {{from: stdout.regex, pattern: "took=(\\\\d+)", unit: s}}
"""


def on_a_terminal(cli, *words: str, **environment: str) -> str:
    """What a run shows on a terminal of 120 × 30."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    env = {k: v for k, v in cli.env().items() if not k.startswith(("LC_", "LANG"))} | environment
    run = subprocess.Popen(
        cli.argv(*words), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    assert run.wait(60) == 0, seen.decode()
    return seen.decode()


def test_a_real_run_draws_them_on_a_terminal_of_utf8_alone(local):
    program = local.folder / "grows.py"
    program.write_text(GROWS)
    words = {"python": json.dumps(sys.executable), "program": json.dumps(str(program))}
    file = local.spec(SPEC.format(**words))
    seen = on_a_terminal(local, "apply", str(file), LC_ALL="C.UTF-8")
    drawn = re.findall(rf"   rss ([{BLOCKS}]+) [\d.]+ MiB", seen)
    assert max(map(len, drawn)) > 5
    assert any(sorted(line) == list(line) for line in drawn)  # its memory grows
    assert re.search(rf"   faults [{BLOCKS}]+ .+ per s", seen)
    assert re.search(rf"   took {BLOCKS[3]}{{2}} 3.00 s \(2 trials\)", seen)
    plain = on_a_terminal(local, "apply", str(file), LC_ALL="C")
    assert "rss " in plain
    assert not set(plain) & set(BLOCKS)
    piped = local("apply", str(file))
    assert not set(piped.stderr + piped.stdout) & set(BLOCKS)
