"""What a host lacks for experiments, from its facts alone, each with the exact fix.

Levels: `lacking` stops or falsifies usual experiments, `advice` makes numbers
noisier or less comparable, `ok` is said so that nobody has to wonder. Sources:
Raspberry Pi documentation (vcgencmd get_throttled, cmdline.txt),
Documentation/admin-guide/cgroup-v1/memory.rst, pm/cpufreq.rst.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.records.facts import amount, emulated, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.records.host_events import Hold
    from runner.records.plain import Json

NOFILE: Final = 16_384
"""Open files for about 13,000 connections; what the examples ask for."""
SMALL_NOFILE: Final = 4_096
HOT_C: Final = 75.0
"""A Raspberry Pi throttles from 80 °C."""
PORTS: Final = 28_000
THROTTLED: Final = {
    0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit",
    16: "under-voltage has occurred", 17: "frequency was capped", 18: "was throttled",
    19: "soft temperature limit was reached",
}  # fmt: skip
"""Bits of get_throttled: the low ones are now, the high ones since boot."""


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    level: str
    found: str
    fix: str = ""


def examine(
    facts: Mapping[str, Json],
    *,
    root: bool,
    busy: Hold | None = None,
    journal_entries: int = 0,
    name: str = "HOST",
) -> tuple[Check, ...]:
    """Look at everything; what is lacking comes first."""
    checks = [
        *_rights(facts, root=root),
        *_leftovers(busy, journal_entries, name),
        *_cgroup(facts),
        *_tools(facts),
        *_limits(facts),
        *_board(facts),
        *_memory(facts),
        *_quiet(facts),
    ]
    order = ("lacking", "advice", "ok")
    return tuple(sorted(checks, key=lambda check: order.index(check.level)))


def _rights(facts: Mapping[str, Json], *, root: bool) -> Iterator[Check]:
    python = facts.get("python.version")
    yield Check("python", "ok", f"Python {python}")
    if root:
        yield Check("root", "ok", "root, or sudo without a password")
        return
    sudo = table(facts, "tools").get("sudo")
    fix = "set `become: true` for the host in hosts.yaml"
    if sudo:
        fix += "; where sudo asks: `<user> ALL=(ALL) NOPASSWD: ALL` by `sudo visudo`"
    else:
        fix = "connect as root (there is no sudo), or: apt install sudo"
    delegated = facts.get("cgroup.delegated")
    if delegated:
        yield Check("root", "advice", f"not root; limits work below {delegated}", fix)
    else:
        yield Check("root", "lacking", "not root: no sysctl, cgroup or governor can be set", fix)


def _leftovers(busy: Hold | None, entries: int, name: str) -> Iterator[Check]:
    if busy:
        yield Check("free", "advice", f"held by run {busy.run}", "wait, or: runner status")
    elif entries:
        yield Check(
            "free", "lacking", f"{entries} changes of an earlier run are still in place",
            f"runner restore {name}",
        )  # fmt: skip
    else:
        yield Check("free", "ok", "held by no run, nothing left behind")


def _cgroup(facts: Mapping[str, Json]) -> Iterator[Check]:
    version = facts.get("cgroup.version")
    if version is None:
        yield Check("cgroup", "lacking", "no cgroup file system is mounted",
                    "mount -t cgroup2 none /sys/fs/cgroup")  # fmt: skip
        return
    if facts.get("cgroup.memory"):
        yield Check("memory controller", "ok", f"cgroup v{version}")
    else:
        file = facts.get("kernel.cmdline_file")
        why = _absent(facts, "cgroup.memory") or "the controller is off"
        fix = (
            f"append ` cgroup_enable=memory cgroup_memory=1` to the one line of {file}, reboot"
            if file
            else "add cgroup_enable=memory to the kernel's command line "
            "(GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub), reboot"
        )
        yield Check("memory controller", "lacking", f"no memory limits: {why}", fix)
    if version == 1 and facts.get("cgroup.memsw") is False:
        yield Check("swap accounting", "advice", "memory.memsw is missing: swap is not limited",
                    "add swapaccount=1 to the kernel's command line, reboot")  # fmt: skip
    if facts.get("psi") is False:
        yield Check("pressure", "advice", "no /proc/pressure: stalls are not measured",
                    "add psi=1 to the kernel's command line, reboot")  # fmt: skip


def _tools(facts: Mapping[str, Json]) -> Iterator[Check]:
    have = {name for name, path in table(facts, "tools").items() if path}
    apt = facts.get("packages.manager") == "apt"
    install = "sudo apt install" if apt else "install"
    for tool, package, why in (
        ("wrk", "wrk", "the default load generator"),
        ("h2load", "nghttp2-client", "latency of every request"),
    ):
        if tool in have:
            yield Check(tool, "ok", why)
            continue
        level = "lacking" if tool == "wrk" else "advice"
        fix = f"{install} {package}, or `packages: [{package}]` under system"
        yield Check(tool, level, f"not installed: {why}", fix)
    if not have & {"unshare", "ip"}:
        yield Check("namespaces", "advice", "neither unshare nor ip: no isolated network",
                    f"{install} util-linux iproute2")  # fmt: skip


def _limits(facts: Mapping[str, Json]) -> Iterator[Check]:
    hard = amount(facts, "limits.nofile_hard")
    if hard is not None:
        level = "ok" if hard >= NOFILE else "advice" if hard >= SMALL_NOFILE else "lacking"
        fix = "" if level == "ok" else (
            f"echo '* hard nofile {NOFILE * 4}' | sudo tee /etc/security/limits.d/90-runner.conf, "
            "log in anew; as root a spec's `limits: {nofile: …}` raises it by itself"
        )  # fmt: skip
        yield Check("open files", level, f"hard limit {hard}", fix)
    ports = str(facts.get("sysctl.net.ipv4.ip_local_port_range") or "").split()
    if len(ports) == 2 and int(ports[1]) - int(ports[0]) < PORTS:
        yield Check("ports", "advice", f"only {ports[0]}-{ports[1]} for outgoing connections",
                    "system: {sysctl: {net.ipv4.ip_local_port_range: 1024 65535}}")  # fmt: skip
    backlog = facts.get("sysctl.net.core.somaxconn")
    if backlog is not None and int(str(backlog)) < 1024:
        yield Check("backlog", "advice", f"net.core.somaxconn is {backlog}",
                    "system: {sysctl: {net.core.somaxconn: 4096}}")  # fmt: skip


def _board(facts: Mapping[str, Json]) -> Iterator[Check]:
    if emulated(facts):
        yield Check("hardware", "advice", "an emulated machine: its times say nothing of a board",
                    "run what is timed on a real board")  # fmt: skip
    bits = facts.get("board.throttled")
    if isinstance(bits, int):
        throttling = [text for bit, text in THROTTLED.items() if bits >> bit & 1]
        now = bool(bits & 0xF)
        level = "lacking" if now else "advice" if throttling else "ok"
        fix = "use the official power supply and a short cable; cool the board; reboot clears it"
        yield Check(
            "throttling",
            level,
            ", ".join(throttling) or "never since boot",
            fix if throttling else "",
        )
    governors = facts.get("cpu.governor")
    if governors:
        listed = governors if isinstance(governors, list) else [governors]
        several = governors.values() if isinstance(governors, dict) else listed
        texts = sorted(set(map(str, several)))
        good = texts == ["performance"]
        yield Check("clock", "ok" if good else "advice", f"governor {', '.join(texts)}",
                    "" if good else "system: {cpu_governor: performance}")  # fmt: skip
    zones = facts.get("thermal.zones_c")
    if isinstance(zones, dict) and zones:
        hottest = max(float(str(value)) for value in zones.values())
        hot = hottest >= HOT_C
        yield Check("temperature", "advice" if hot else "ok", f"{hottest:.0f} °C",
                    "cool the board: it throttles from 80 °C" if hot else "")  # fmt: skip


def _memory(facts: Mapping[str, Json]) -> Iterator[Check]:
    devices = facts.get("swap.devices")
    if devices:
        each = devices if isinstance(devices, list) else [devices]
        names = ", ".join(
            str(one.get("path", one) if isinstance(one, dict) else one) for one in each
        )
        yield Check("swap", "advice", f"in use: {names}; memory limits then measure the swap",
                    'system: {swap: "off"}, or memory.swap.max: 0')  # fmt: skip
    elif devices is not None:
        yield Check("swap", "ok", "off")


def _quiet(facts: Mapping[str, Json]) -> Iterator[Check]:
    load, cpus = amount(facts, "load.1m"), amount(facts, "cpu.count")
    if load is not None and cpus:
        idle = load < 0.5 * cpus
        fix = "" if idle else "stop what runs there: system: {services: {stopped: [lightdm]}}"
        load_text = f"load {load:.1f} on {cpus:g} CPUs"
        yield Check("quiet", "ok" if idle else "advice", load_text, fix)
    if facts.get("clock.synchronized") is False:
        yield Check("time", "advice", "the clock is not synchronized",
                    "sudo timedatectl set-ntp true")  # fmt: skip


def _absent(facts: Mapping[str, Json], name: str) -> str:
    return str(table(facts, "absent").get(name) or "")
