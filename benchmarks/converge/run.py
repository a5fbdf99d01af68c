"""Applying state over one loopback sshd, beside Ansible, pyinfra, ssh and fabric.

Re-executes itself in a network namespace of its own, so that the sysctls changed are
private; needs root. The other tools go into benchmarks/.cache (`make bench` does that).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import getpass
import json
import os
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.environment import ROOT, publish, verdict
from tests.sshd import start_sshd, stop_sshd

TOOLS = ROOT / "benchmarks" / ".cache" / "tools" / "bin"
CPU = Path("/sys/fs/cgroup/cpuacct")
SLOW = ("pyinfra", "Ansible")
INSIDE = "RUNNER_BENCHMARK_INSIDE"
NEIGH = (
    "base_reachable_time_ms gc_stale_time delay_first_probe_time mcast_solicit ucast_solicit "
    "app_solicit proxy_qlen unres_qlen locktime proxy_delay anycast_delay retrans_time_ms"
).split()


def sysctl_keys(many: int) -> list[tuple[str, str]]:
    """Integer keys of this namespace, with the value now."""
    found = []
    for top in ("net/ipv4/neigh/lo", "net/ipv4/neigh/default", "net/ipv6/neigh/lo"):
        found += [f"{top}/{name}" for name in NEIGH]
    found += [
        f"net/ipv4/{name}"
        for name in (
            "tcp_fin_timeout tcp_keepalive_time tcp_keepalive_probes tcp_keepalive_intvl "
            "tcp_retries1 tcp_retries2 tcp_syn_retries tcp_synack_retries tcp_orphan_retries "
            "tcp_reordering tcp_notsent_lowat tcp_max_syn_backlog ip_default_ttl "
            "igmp_max_memberships igmp_max_msf tcp_base_mss tcp_probe_interval"
        ).split()
    ] + ["net/core/somaxconn"]
    found += [
        f"net/ipv4/conf/{interface}/{name}"
        for interface in ("lo", "default")
        for name in (
            "log_martians arp_announce arp_ignore arp_filter arp_accept arp_notify rp_filter "
            "proxy_arp tag medium_id src_valid_mark promote_secondaries disable_policy "
            "ignore_routes_with_linkdown drop_gratuitous_arp"
        ).split()
    ]
    keys = []
    for key in found:
        path = Path("/proc/sys", key)
        with contextlib.suppress(OSError, ValueError):
            text = path.read_text().strip()
            number = int(text)
            if 0 <= number < 2**30:
                path.write_text(str(number + 1))
                kept = path.read_text().strip()
                path.write_text(text)
                if kept == str(number + 1):
                    keys.append((key, text))
    assert len(keys) >= many, f"only {len(keys)} sysctls can be changed here"
    return keys[:many]


@dataclass
class Job:
    """N resources: half sysctls, half files."""

    folder: Path
    keys: list[tuple[str, str]]
    files: int
    sysctls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.sysctls = {key: str(int(value) + 1) for key, value in self.keys}

    def paths(self) -> dict[str, str]:
        return {str(self.folder / f"f{n:03}"): f"content of {n}\n" * 5 for n in range(self.files)}

    def reset(self) -> None:
        for key, value in self.keys:
            Path("/proc/sys", key).write_text(value)
        for path in self.paths():
            Path(path).unlink(missing_ok=True)

    def check(self) -> None:
        for key, value in self.sysctls.items():
            assert Path("/proc/sys", key).read_text().strip() == value, key
        for path, text in self.paths().items():
            assert Path(path).read_text() == text, path

    def cells(self) -> list[dict]:
        return [
            {
                "id": f"sysctl:{key}", "via": "pseudo", "path": f"/proc/sys/{key}",
                "form": "words", "want": value,
            }
            for key, value in self.sysctls.items()
        ] + [
            {
                "id": f"file:{path}", "via": "file", "path": path, "form": "file", "runtime": False,
                "want": {
                    "type": "file", "bytes_b64": base64.b64encode(text.encode()).decode(),
                    "mode": 0o644,
                },
            }
            for path, text in self.paths().items()
        ]  # fmt: skip

    def script(self) -> str:
        """The shortest idempotent shell script that does it: the floor."""
        lines = ["set -e"]
        for key, value in self.sysctls.items():
            path = f"/proc/sys/{key}"
            lines.append(f'[ "$(cat {path})" = {value} ] || echo {value} > {path}')
        for path, text in self.paths().items():
            body = text.replace("\n", "\\n")
            lines.append(
                f"printf '{body}' | cmp -s - {path} || "
                f"{{ printf '{body}' > {path}; chmod 0644 {path}; }}"
            )
        return "\n".join(lines) + "\n"


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sshd").mkdir()
        self.server = start_sshd(
            folder / "sshd",
            "MaxStartups 100:30:200\nMaxSessions 100\nSubsystem sftp internal-sftp\n",
        )
        self.cpu = None
        if CPU.is_dir():
            self.cpu = CPU / "runner-benchmark-target"
            self.cpu.mkdir(exist_ok=True)
            (self.cpu / "cgroup.procs").write_text(str(self.server.process.pid))
        (folder / "ssh_config").write_text("")

    def close(self) -> None:
        stop_sshd(self.server)
        for _ in range(100):
            if self.cpu is None:
                break
            with contextlib.suppress(OSError):
                self.cpu.rmdir()
                break
            time.sleep(0.05)

    @contextlib.contextmanager
    def link(self, delay_s: float):
        argv = [sys.executable, str(Path(__file__).with_name("link.py"))]
        process = subprocess.Popen(
            [*argv, str(self.server.port), str(delay_s)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()
            process.wait()

    def target_cpu_s(self) -> float:
        if self.cpu is not None:
            return int((self.cpu / "cpuacct.usage").read_text()) / 1e9
        words = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")

    def contenders(self, job: Job, port: int, work: Path) -> dict[str, list[str]]:
        """Command lines, by name; all their files are written."""
        user, key = getpass.getuser(), str(self.server.key)
        known = work / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {self.server.host_key}\n")
        host = {
            "name": "board", "user": user, "port": port, "key": key, "known_hosts": str(known),
            "ssh_config": str(self.folder / "ssh_config"), "state": str(work / "state"),
            "python": shutil.which("python3", path="/usr/bin:/bin") or sys.executable,
        }  # fmt: skip
        (work / "job.json").write_text(json.dumps({"hosts": [{**host, "cells": job.cells()}]}))
        script = work / "script.sh"
        script.write_text(job.script())
        found = {
            "ssh true": [
                "ssh", "-F", "none", "-i", key, "-p", str(port),
                "-o", f"UserKnownHostsFile={known}", f"{user}@127.0.0.1", "true",
            ],
            "ssh script": [
                "sh", "-c",
                f"exec ssh -F none -i {key} -p {port} -o UserKnownHostsFile={known} "
                f"{user}@127.0.0.1 sh -s < {script}",
            ],
            "fabric script": [sys.executable, str(_fabric(work, host, script))],
            "runner, converge alone": [
                sys.executable, "-m", "benchmarks.converge.library", str(work / "job.json"),
            ],
            "runner apply --keep": self._runner(job, work, host),
        }  # fmt: skip
        if (TOOLS / "pyinfra").exists():
            found["pyinfra"] = _pyinfra(job, work, host)
        if (TOOLS / "ansible-playbook").exists():
            found["Ansible"] = _ansible(job, work, host)
        return found

    def _runner(self, job: Job, work: Path, host: dict) -> list[str]:
        system = {
            "sysctl": {key: int(value) for key, value in job.sysctls.items()},
            "files": {p: {"content": t, "mode": "0644"} for p, t in job.paths().items()},
        }
        spec = {
            "schema": "experiment/1", "name": "state", "title": "state",
            "hosts": {"server": "board"}, "system": system,
        }  # fmt: skip
        (work / "state.yaml").write_text(json.dumps(spec, indent=1))
        entry = {k: host[k] for k in ("port", "user", "key", "python")}
        (work / "hosts.yaml").write_text(
            json.dumps({"hosts": {"board": {"address": "127.0.0.1", **entry}}})
        )
        return [
            sys.executable, "-m", "runner", "apply", str(work / "state.yaml"), "--keep",
            "-H", "board", "-i", str(work / "hosts.yaml"), "--known-hosts", host["known_hosts"],
            "--ssh-config", host["ssh_config"], "--state-dir", str(work / "state-cli"),
            "--reports", str(work / "reports"),
        ]  # fmt: skip

    def measure(self, argv: list[str], link: subprocess.Popen, work: Path) -> dict[str, float]:
        env = {
            **os.environ, "HOME": str(work), "ANSIBLE_CONFIG": str(work / "ansible.cfg"),
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        _ask(link)
        target = self.target_cpu_s()
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        wall = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(
                f"{argv[:4]}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        time.sleep(0.1)  # sshd ends its session
        return {
            "wall": wall,
            "cpu": now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime,
            "target": self.target_cpu_s() - target,
            "trips": _ask(link)[0],
        }

    def table(
        self, many: int, delay_s: float, rounds: int, slow_rounds: int, without: set[str]
    ) -> dict:
        """Median of each number, by tool and phase; the tools take turns."""
        job = Job(self.folder / f"files-{many}", KEYS[: many // 2], many - many // 2)
        found: dict = {}
        with self.link(delay_s) as (link, port):
            folders = {}
            for name in self.contenders(job, port, self._work(f"probe-{many}-{delay_s}")):
                if name not in without:
                    folders[name] = self._work(f"{name}-{many}-{delay_s}".replace(" ", "_"))
            for turn in range(rounds):
                for name, work in folders.items():
                    if name in SLOW and turn >= slow_rounds:
                        continue
                    argv = self.contenders(job, port, work)[name]
                    shutil.rmtree(work / "state", ignore_errors=True)
                    shutil.rmtree(work / "state-cli", ignore_errors=True)
                    job.reset()
                    for phase in ("first", "no-op"):
                        got = self.measure(argv, link, work)
                        if name != "ssh true":
                            job.check()
                        found.setdefault((name, phase), []).append(got)
                    if name.startswith("runner"):
                        found.setdefault((name, "agent there"), []).append(
                            self._again(argv, job, link, work)
                        )
            job.reset()
        return {
            key: {what: statistics.median(got[what] for got in all_) for what in all_[0]}
            for key, all_ in found.items()
        }

    def _again(self, argv: list[str], job: Job, link: subprocess.Popen, work: Path) -> dict:
        """First apply of a state on a host that has the agent already."""
        job.reset()
        for state in ("state", "state-cli"):
            for name in ("journal.jsonl", "hold.json"):
                (work / state / name).unlink(missing_ok=True)
        return self.measure(argv, link, work)

    def _work(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return path

    def hosts(self, many: int, rounds: int) -> dict[str, float]:
        """No-op apply of 20 files on each of `many` hosts at once, in one process."""
        work = self._work(f"hosts-{many}")
        with self.link(0.0) as (link, port):
            jobs = []
            for n in range(many):
                job = Job(work / f"host{n}", [], 20)
                self.contenders(job, port, work)
                (host,) = json.loads((work / "job.json").read_text())["hosts"]
                jobs.append({**host, "name": f"host{n}", "state": str(work / f"state{n}")})
            (work / "job.json").write_text(json.dumps({"hosts": jobs}))
            argv = [sys.executable, "-m", "benchmarks.converge.library", str(work / "job.json")]
            self.measure(argv, link, work)
            got = [self.measure(argv, link, work) for _ in range(rounds)]
        return {what: statistics.median(g[what] for g in got) for what in got[0]}


def _fabric(work: Path, host: dict, script: Path) -> Path:
    path = work / "fab.py"
    path.write_text(
        "from pathlib import Path\nimport fabric\n"
        f"c = fabric.Connection('127.0.0.1', user={host['user']!r}, port={host['port']}, "
        f"connect_kwargs={{'key_filename': {host['key']!r}, 'allow_agent': False, "
        "'look_for_keys': False})\n"
        f"c.client.load_host_keys({host['known_hosts']!r})\n"
        f"c.run(Path({str(script)!r}).read_text(), hide=True)\nc.close()\n"
    )
    return path


def _pyinfra(job: Job, work: Path, host: dict) -> list[str]:
    (work / "inventory.py").write_text(
        "hosts = [('127.0.0.1', {"
        f"'ssh_user': {host['user']!r}, 'ssh_port': {host['port']}, 'ssh_key': {host['key']!r}, "
        f"'ssh_known_hosts_file': {host['known_hosts']!r}, 'ssh_allow_agent': False, "
        "'ssh_look_for_keys': False})]\n"
    )
    (work / "deploy.py").write_text(
        "from io import StringIO\nfrom pyinfra.operations import files, server\n"
        f"SYSCTLS = { {key.replace('/', '.'): int(value) for key, value in job.sysctls.items()}!r}\n"
        f"FILES = {job.paths()!r}\n"
        "for key, value in SYSCTLS.items():\n    server.sysctl(key=key, value=value)\n"
        "for path, text in FILES.items():\n"
        "    files.put(src=StringIO(text), dest=path, mode='644')\n"
    )
    return [str(TOOLS / "pyinfra"), "-y", str(work / "inventory.py"), str(work / "deploy.py")]


def _ansible(job: Job, work: Path, host: dict) -> list[str]:
    (work / "ansible.cfg").write_text(
        "[defaults]\nhost_key_checking = True\ninterpreter_python = " + host["python"] + "\n"
        "[ssh_connection]\npipelining = True\n"
        f"ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60s "
        f"-o UserKnownHostsFile={host['known_hosts']}\n"
        f"control_path_dir = {work}/cp\n"
    )
    (work / "inventory.ini").write_text(
        f"board ansible_host=127.0.0.1 ansible_port={host['port']} ansible_user={host['user']} "
        f"ansible_ssh_private_key_file={host['key']}\n"
    )
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "sysctls",
                    "ansible.builtin.shell": '[ "$(cat {{ item.path }})" = {{ item.value }} ] || '
                    "{ echo {{ item.value }} > {{ item.path }} && echo changed; }",
                    "register": "said",
                    "changed_when": "'changed' in said.stdout",
                    "loop": [
                        {"path": f"/proc/sys/{key}", "value": value}
                        for key, value in job.sysctls.items()
                    ],
                },
                {
                    "name": "files",
                    "ansible.builtin.copy": {
                        "dest": "{{ item.path }}",
                        "content": "{{ item.text }}",
                        "mode": "0644",
                    },
                    "loop": [{"path": path, "text": text} for path, text in job.paths().items()],
                },
            ],
        }
    ]
    (work / "play.yml").write_text(json.dumps(play, indent=1))
    return [
        str(TOOLS / "ansible-playbook"), "-i", str(work / "inventory.ini"), str(work / "play.yml"),
    ]  # fmt: skip


def _ask(link: subprocess.Popen) -> list[int]:
    link.stdin.write("\n")
    link.stdin.flush()
    return [int(word) for word in link.stdout.readline().split()]


def rows_of(found: dict, floor: str = "fabric script") -> list[str]:
    rows = [
        "| tool | phase | wall, s | ÷ fabric script | CPU here, s | CPU of the target, s "
        "| round trips |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for (name, phase), got in found.items():
        base = found[floor, "no-op" if phase == "no-op" else "first"]["wall"]
        rows.append(
            f"| {name} | {phase} | {got['wall']:.2f} | {got['wall'] / base:.2f} "
            f"| {got['cpu']:.2f} | {got['target']:.3f} | {got['trips']:.0f} |"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="10,50,100")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slow-rounds", type=int, default=3, help=f"of {' and '.join(SLOW)}")
    parser.add_argument("--without", action="append", default=[], help="leave a tool out")
    parser.add_argument("--dry", action="store_true", help="write no results.md")
    given = parser.parse_args()
    sizes = [int(word) for word in given.sizes.split(",")]
    if not os.environ.get(INSIDE):
        argv = [
            "unshare",
            "-n",
            "-m",
            sys.executable,
            "-m",
            "benchmarks.converge.run",
            *sys.argv[1:],
        ]
        raise SystemExit(
            subprocess.run(argv, env={**os.environ, INSIDE: "1"}, check=False).returncode
        )
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _plain_start()
    KEYS.extend(sysctl_keys(max(sizes) // 2))
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        try:
            body = report(bench, sizes, given.rounds, given.slow_rounds, set(given.without))
        finally:
            bench.close()
    command = shlex.join(["python", "-m", "benchmarks.converge.run", *sys.argv[1:]])
    if given.dry:
        print(body)
    else:
        publish("converge", "Applying state over ssh, beside other tools", command, body)


def _plain_start() -> None:
    """Give the login shell a board's start-up file and not this machine's, which starts tools."""
    own = Path.home() / ".bashrc"
    if own.exists():
        with tempfile.NamedTemporaryFile("w", suffix=".bashrc") as plain:
            plain.write("case $- in *i*) ;; *) return;; esac\n")
            plain.flush()
            subprocess.run(["mount", "--bind", plain.name, str(own)], check=True)


def report(bench: Bench, sizes: list[int], rounds: int, slow_rounds: int, without: set[str]) -> str:
    text = [
        f"Median of {rounds} rounds ({slow_rounds} of {' and '.join(SLOW)}), the tools in turn, one sshd on loopback through a proxy that "
        "counts. Half of the resources are sysctls of a private network namespace, half files. "
        "*first* is the first apply on a host that never saw the tool (runner sends its agent "
        "then), *agent there* a first apply where the agent was sent before, *no-op* the same "
        "apply once more. *runner, converge alone* is what goes over the wire; *runner apply* "
        "also reads the spec, plans, reads all facts and records the run. "
        "The ssh and fabric scripts are the floor: one shell script that tests and sets, without "
        "journal, read-back, or a result per resource. The login shell's start-up file is that of a "
        "stock Debian, which returns at once. Ansible has pipelining and "
        "ControlPersist on and gathers no facts.",
        "",
    ]
    tables = {}
    for many in sizes:
        tables[many] = bench.table(many, 0.0, rounds, slow_rounds, without)
        text += [f"## {many} resources", "", *rows_of(tables[many]), ""]
    most = max(sizes)
    # with a delay for each of its round trips Ansible would take a quarter of an hour
    slow = bench.table(most, 0.01, slow_rounds, 1, {*without, "Ansible"})
    text += [
        f"## {most} resources, 20 ms of round-trip time, {slow_rounds} rounds, without Ansible", "",
        *rows_of(slow), "",
    ]  # fmt: skip
    text += ["## Several hosts at once", "", "20 files each, no-op, one process, one thread a host; "
             "all are the same machine, so they share its CPUs.", "",
             "| hosts | wall, s | ÷ one host | CPU here, s | CPU of the targets, s |",
             "|--:|--:|--:|--:|--:|"]  # fmt: skip
    fleet = {many: bench.hosts(many, rounds) for many in (1, 4, 16)}
    for many, got in fleet.items():
        text.append(
            f"| {many} | {got['wall']:.2f} | {got['wall'] / fleet[1]['wall']:.1f} "
            f"| {got['cpu']:.2f} | {got['target']:.2f} |"
        )
    return "\n".join([*text, "", "## Targets", "", *targets(tables, most, fleet)])


def targets(tables: dict, most: int, fleet: dict) -> list[str]:
    best = tables[most]
    floor = best["fabric script", "no-op"]["wall"]
    found = []
    for name in ("runner, converge alone", "runner apply --keep"):
        mine = best[name, "no-op"]
        trips = [table[name, "no-op"]["trips"] for table in tables.values()]
        ratio = mine["wall"] / floor
        found.append(f"- {name}, no-op of {most} at most 1.5 × the fabric script: "
                     f"{verdict(ratio <= 1.5)} ({ratio:.2f} ×)")  # fmt: skip
        for other, least in (("pyinfra", 10), ("Ansible", 40)):
            if (other, "no-op") in best:
                times = best[other, "no-op"]["wall"] / mine["wall"]
                found.append(f"- {name}, {least} × faster than {other}: "
                             f"{verdict(times >= least)} ({times:.1f} ×)")  # fmt: skip
        found.append(f"- {name}, at most 10 round trips whatever N: "
                     f"{verdict(max(trips) <= 10)} ({', '.join(f'{t:.0f}' for t in trips)})")  # fmt: skip
        session = best["ssh true", "no-op"]["target"]
        own = mine["target"] - session
        found.append(f"- {name}, at most 0.1 CPU-s on the target: {verdict(own <= 0.1)} "
                     f"({own:.3f} s beyond the {session:.3f} s of an ssh session that runs `true`, "
                     "which are sshd's and the login shell's)")  # fmt: skip
    ratio = fleet[16]["wall"] / fleet[1]["wall"]
    found.append(f"- 16 hosts at most 3 × one host: {verdict(ratio <= 3)} ({ratio:.1f} ×)")
    return found


KEYS: list[tuple[str, str]] = []

if __name__ == "__main__":
    main()
