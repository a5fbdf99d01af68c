"""Many hosts over ssh: how long until all are converged and put back, with and without bad ones.

python -m benchmarks.lab.hosts [--hosts 200] [--sshd 4] > benchmarks/lab/hosts.md

A host is a name with a state folder of its own behind one of a few sshd of this machine. Their
agents share its cores with the controller, which two hundred boards do not. Of the second run one
host in ten is bad: half of those refuse the connection, half take it and never say a word.
"""

import argparse
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.environment import environment
from tests.apply.conftest import ROOT, Cli
from tests.sshd import start_sshd, stop_sshd
from tests.workers import HOLDS, free_port

SPEC = """\
schema: experiment/1
name: many
hosts: {{server: all}}
system: {{files: {{{there}: {{directory: true}}}}}}
"""


def inventory(folder, servers, hosts, bad):
    """Write the inventory of so many hosts; `bad` are the ports of every tenth."""
    found = {}
    for n in range(hosts):
        options = servers[n % len(servers)].options(folder, trusted=False)
        port = bad[n // 10 % len(bad)] if bad and n % 10 == 5 else options.port
        found[f"h{n}"] = {"address": "127.0.0.1", "port": port, "user": options.user,
                          "key": str(options.key), "python": sys.executable,
                          "state": str(folder / "states" / str(n))}  # fmt: skip
    (folder / "hosts.yaml").write_text(json.dumps({"hosts": found}))
    return found


def run(cli, spec, *, code):
    """Give wall seconds, CPU seconds, resident bytes, most threads and descriptors, left out."""
    began = time.monotonic()
    process = subprocess.Popen(
        cli.argv("apply", str(spec), "-q", "--json"), cwd=ROOT, env=cli.env(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    most = [0, 0]
    done = threading.Event()

    def watch():
        while not done.wait(0.1):
            with contextlib.suppress(OSError):
                own = Path("/proc", str(process.pid))
                most[0] = max(most[0], len(os.listdir(own / "task")))
                most[1] = max(most[1], len(os.listdir(own / "fd")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    done.set()
    watcher.join()
    wall = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != code:
        sys.exit(f"apply ended with status {status}: {said[-500:]}")
    told = json.loads(said)
    ok = sum(one["ok"] > 0 for one in told["hosts"].values())
    cpu = used.ru_utime + used.ru_stime
    return wall, cpu, used.ru_maxrss * 1024, *most, ok, len(told["left_out"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--sshd", type=int, default=4)
    args = parser.parse_args()
    head = environment()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as silent:
        folder = Path(name)
        (folder / "there").mkdir()
        Path(HOLDS).mkdir(exist_ok=True)
        servers = []
        try:
            for n in range(args.sshd):
                (folder / f"s{n}").mkdir()
                servers.append(start_sshd(folder / f"s{n}", "MaxStartups 500\nMaxSessions 500"))
            known = folder / "known_hosts"
            known.write_text("".join(f"[127.0.0.1]:{s.port} {s.host_key}\n" for s in servers))
            cli = Cli(folder, ["-i", str(folder / "hosts.yaml"), "--known-hosts", str(known),
                               "--ssh-config", str(folder / "ssh_config")])  # fmt: skip
            spec = cli.spec(SPEC.format(there=folder / "there"))
            inventory(folder, servers, args.hosts, [])
            first = run(cli, spec, code=0)
            again = run(cli, spec, code=0)
            inventory(folder, servers, args.hosts, [free_port(), silent.getsockname()[1]])
            bad = run(cli, spec, code=4)
        finally:
            for one in servers:
                stop_sshd(one)
    print(f"# {args.hosts} hosts over ssh\n")
    print(head)
    print(f"\n`python -m benchmarks.lab.hosts --hosts {args.hosts} --sshd {args.sshd}`: probe, converge, put "
          "back; the agents run on this machine, too.\n")  # fmt: skip
    print(
        "| run | hosts converged | left out | wall, s | CPU of the controller, s | its memory | threads at most | descriptors at most |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    rows = (("first: the agent is sent", first), ("again", again), ("one in ten is bad", bad))
    for text, (wall, cpu, memory, threads, files, ok, out) in rows:
        print(
            f"| {text} | {ok} | {out} | {wall:.1f} | {cpu:.1f} | {memory / 1e6:.0f} MB | {threads} | {files} |"
        )
    reached = "reached" if again[0] <= 60 else "not reached"
    print(f"\n- all converge in at most 60 s: {reached} ({again[0]:.1f} s)")
    print(f"- one bad host in ten: {bad[0] / again[0]:.2f} × the time without; a host that never says "
          "a word is waited for 10 s, once")  # fmt: skip


if __name__ == "__main__":
    main()
