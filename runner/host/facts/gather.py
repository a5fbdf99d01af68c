"""What this host is, read in one go and mostly without a subprocess.

`gather()` gives a flat dictionary with dotted names. What the host lacks is None
there, with the reason under `absent`: an empty probe is never "fine".
"""

from __future__ import annotations

import os
import re
import resource
import struct
import sys
import time

from ..errors import CellError, reason
from ..which import which as which_on
from . import board, energy, kernel
from .builder import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Optional, Sequence

    from runner.records.program import Asked
TOOLS = (
    "go", "python3", "perf", "strace", "taskset", "ss", "ip", "tc", "unshare",
    "systemd-run", "systemctl", "stress-ng", "iperf3", "vcgencmd", "cpupower", "modprobe", "sudo",
)  # fmt: skip
LIMITS = (
    "as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nofile", "nproc", "rtprio",
    "sigpending", "stack",
)  # fmt: skip
_CAP_SYS_RESOURCE = 24  # linux/capability.h
_MANAGERS = (("apt-get", "apt"), ("dnf", "dnf"), ("pacman", "pacman"), ("apk", "apk"))
_CMDLINE_FILES = ("/boot/firmware/cmdline.txt", "/boot/cmdline.txt")
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # is not on the PATH of every user
_COMMAND_S = 5.0


def gather(tools: Sequence[str] = (), sysctls: Sequence[str] = ()) -> Dict[str, object]:
    """Read all facts; a part that breaks is one absent fact and not the end of the probe.

    `tools` are programs to look for beside those of TOOLS: those of the load generators.
    `sysctls` are kernel parameters, by their dotted names, beside those that always are facts.
    """
    facts = Facts()
    for key in sysctls:
        kernel.sysctl(facts, key)
    parts: Dict[str, Callable[[Facts], None]] = {
        "os": _os, "kernel": _kernel,
        "tools": lambda facts: _tools(facts, (*TOOLS, *tools)),
        "init": _init, "limits": _limits,
        "time": _time, "net": _net, "energy": energy.gather, **board.PARTS, **kernel.PARTS,
    }  # fmt: skip
    for name, part in parts.items():
        try:
            part(facts)
        except (OSError, CellError, ValueError, KeyError, IndexError) as fault:
            facts.lack(name, f"could not be read: {reason(fault)}")
    return {**facts.values, "absent": facts.absent}


def asked(program: Asked) -> Dict[str, object]:
    """Read the facts that a program asks for."""
    return gather(program.get("tools") or (), program.get("sysctls") or ())


def which(name: str) -> Optional[str]:
    """Find a program, also where only root looks."""
    return which_on(name, os.environ.get("PATH", os.defpath) + ":" + _SBIN)


def _os(facts: Facts) -> None:
    keys: Dict[str, str] = {}
    text = facts.text("/etc/os-release") or facts.text("/usr/lib/os-release") or ""
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            keys[key.strip()] = value.strip().strip("\"'")
    for name in ("ID", "VERSION_ID", "VERSION_CODENAME", "PRETTY_NAME"):
        facts.put(f"os.{name.lower()}", keys.get(name), "not in /etc/os-release")
    # a 64-bit kernel under a 32-bit system is usual on older Raspberry Pi OS
    facts.put("os.bits", struct.calcsize("P") * 8)
    manager = next((name for tool, name in _MANAGERS if which(tool)), None)
    facts.put("packages.manager", manager, "none of apt, dnf, pacman, apk")
    facts.put("host.root", os.geteuid() == 0)
    facts.put("host.name", os.uname().nodename)


def _kernel(facts: Facts) -> None:
    name = os.uname()
    facts.put("arch", name.machine)
    facts.put("kernel.release", name.release)
    facts.put("kernel.version", name.version)
    facts.put("boot_id", facts.text("/proc/sys/kernel/random/boot_id"), "no boot_id")
    facts.put("kernel.cmdline", facts.text("/proc/cmdline"), "/proc/cmdline is unreadable")
    place = next((path for path in _CMDLINE_FILES if os.path.exists(path)), None)
    facts.put("kernel.cmdline_file", place, "no " + " or ".join(_CMDLINE_FILES))
    facts.put("kernel.modules", os.path.exists("/proc/modules"))
    # PREEMPT_DYNAMIC, PREEMPT_RT: the scheduler's latency depends on it
    preempt = re.search(r"\bPREEMPT\w*", name.version)
    facts.put("kernel.preempt", preempt and preempt.group(0), "not in the kernel's version")
    facts.put("clock_ticks", os.sysconf("SC_CLK_TCK"))
    facts.put("page_bytes", os.sysconf("SC_PAGE_SIZE"))


def _tools(facts: Facts, tools: Sequence[str]) -> None:
    places = {name: which(name) for name in tools}
    facts.put("tools", places)
    facts.put("python.version", ".".join(map(str, sys.version_info[:3])))
    facts.put("python.path", sys.executable)
    go = places["go"]
    # the file that `go version` would print, without starting it
    version = go and facts.text(
        os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(go))), "VERSION")
    )
    facts.put("go.version", version.split()[0] if version else None, "no go on PATH")


def _init(facts: Facts) -> None:
    facts.put("init", facts.text("/proc/1/comm"), "pid 1 is hidden")
    if not os.path.isdir("/run/systemd/system"):  # sd_booted(3)
        facts.put("systemd.version", None, "systemd is not the init of this host")
        return
    version = output("systemctl", "--version")
    number = re.match(r"systemd (\d+)", version or "")
    facts.put("systemd.version", int(number.group(1)) if number else 0)


def output(*argv: str) -> Optional[str]:
    """Give what a command prints, or None when it is not there or fails."""
    path = which(argv[0])
    if path is None:
        return None
    import subprocess

    try:
        done = subprocess.run(
            [path, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def _limits(facts: Facts) -> None:
    for name in LIMITS:
        pair = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))
        soft, hard = (1 << 63 if one == resource.RLIM_INFINITY else one for one in pair)
        if name == "nofile":  # a program that does not raise its own has no more
            facts.put("limits.nofile_soft", soft)
        facts.put(f"limits.{name}_hard", hard)
    held = re.search(r"(?m)^CapEff:\s*([0-9a-f]+)", facts.text("/proc/self/status") or "")
    may = held and bool(int(held.group(1), 16) >> _CAP_SYS_RESOURCE & 1)
    facts.put("limits.may_raise", may, "no CapEff in /proc/self/status")


def _time(facts: Facts) -> None:
    facts.put("clock.unix_s", round(time.time(), 3))
    source = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    facts.put("clock.source", facts.text(source), "no clocksource in sysfs")
    if os.path.isdir("/run/systemd/timesync"):
        facts.put("clock.synchronized", os.path.exists("/run/systemd/timesync/synchronized"))
    else:
        facts.put("clock.synchronized", None, "systemd-timesyncd does not run")
    uptime = facts.text("/proc/uptime")
    facts.put("uptime_s", float(uptime.split()[0]) if uptime else None, "no /proc/uptime")
    facts.put("load.1m", os.getloadavg()[0])
    facts.put("load.5m", os.getloadavg()[1])


def _net(facts: Facts) -> None:
    root = "/sys/class/net"
    if not os.path.isdir(root):
        facts.lack("net.interfaces", f"no {root}")
        return
    # bonding_masters is a file among them
    names = sorted(name for name in os.listdir(root) if os.path.isdir(f"{root}/{name}"))
    facts.put("net.interfaces", names)
    speeds: Dict[str, int] = {}
    for name in names:
        speed = facts.text(f"{root}/{name}/speed")  # EINVAL while the link is down
        if speed and speed.isdigit():
            speeds[name] = int(speed)
    facts.put("net.speed_mbit", speeds or None, "no interface says its speed")
