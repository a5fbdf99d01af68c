"""Names of facts, checked before anything runs: of the kernel's parameters, and near misses.

A claim may name a fact that nobody observes here (`gateway.message_bytes`): it is shown as
not observed. What is refused is a name that means a fact and is not its name.
"""

from typing import Final

from runner.spec.limits import Limits, SizeLimitOf
from runner.spec.references import slip

FACTS: Final = (
    "arch", "aslr", "board.compatible", "board.memory", "board.model", "board.revision",
    "board.throttled",
    "board.throttled_source", "board.throttled_vcgencmd", "boot_id", "build.go",
    "cgroup.controllers", "cgroup.delegated",
    "cgroup.hybrid", "cgroup.memory", "cgroup.memsw", "cgroup.mounts", "cgroup.own",
    "cgroup.version", "clock.source", "clock.synchronized", "clock.unix_s", "clock_ticks",
    "cpu.count", "cpu.driver", "cpu.governor", "cpu.governors", "cpu.hardware_max_khz",
    "cpu.isolated", "cpu.max_khz", "cpu.min_khz", "cpu.model", "cpu.now_khz", "cpu.online",
    "cpu.policies", "cpu.possible", "cpu.smt", "cpu.usable", "cpu.vulnerabilities", "emulated",
    "emulated.signs", "energy.counters", "energy.pmic", "energy.sensors", "go.version",
    "host.name", "host.root", "init", "kernel.cmdline",
    "kernel.cmdline_file", "kernel.modules", "kernel.preempt", "kernel.release",
    "kernel.version", "ksm", "limits.may_raise", "limits.nofile_soft",
    *(f"limits.{name}_hard" for name in (
        "as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nofile", "nproc", "rtprio",
        "sigpending", "stack",
    )),
    "load.1m", "load.5m", "memory.available_bytes", "memory.free_bytes",
    "memory.hugepage_bytes", "memory.swap_free_bytes", "memory.swap_total_bytes",
    "memory.total_bytes", "net.interfaces", "net.speed_mbit", "numa.online", "os.bits",
    "os.id", "os.pretty_name", "os.version_codename", "os.version_id", "packages.manager",
    "page_bytes", "psi", "python.path", "python.version", "runtime", "swap.devices",
    "systemd.version", "thermal.zone",
    "thermal.zones_c", "thp", "thp.defrag", "thp.khugepaged_defrag",
    "thp.shmem", "tools", "uptime_s", "virtualization", "zswap",
)  # fmt: skip
"""Every fact but the kernel parameters (`sysctl.…`) and the limits of a cgroup (`cgroup.…`)."""

_ROOTS: Final = ("abi", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm")


UNITS: Final = {"bytes": "B", "khz": "kHz"}
"""What the last word of a fact's name says of its number."""
_LIMIT: Final = {
    f"limits.{field.alias or name}_hard": "B"
    for name, field in Limits.model_fields.items()
    if field.annotation == SizeLimitOf | None
}


def unit_of(name: str) -> str:
    """Give the unit of a fact that is a number; empty where it is plain, or none is known."""
    return _LIMIT.get(name) or UNITS.get(name.rpartition("_")[2], "")


def check_fact(name: str) -> str | None:
    """Say what is wrong with the name of a fact, or None."""
    if name in FACTS:
        return None
    root, dot, _ = name.partition(".")
    near = next((known for known in FACTS if slip(name, known)), None)
    if near is not None:
        return f"there is no fact `{name}`; did you mean `{near}`?"
    if dot and root in _ROOTS:
        return f"a kernel parameter is the fact `sysctl.{name}`"
    if root == "sysctl" and dot:
        return _sysctl(name.removeprefix("sysctl."))
    if "/" in name:
        return f"there is no fact `{name}`: their names have dots"
    return None


def _sysctl(key: str) -> str | None:
    root = key.partition(".")[0].partition("/")[0]
    if root not in _ROOTS:
        hint = next((known for known in _ROOTS if slip(root, known)), None)
        more = f"; did you mean `sysctl.{hint}{key[len(root) :]}`?" if hint else ""
        return f"there is no kernel parameter `{key}`{more}"
    if key.partition("/")[0] == root and "/" in key and "." not in key.partition("/")[0]:
        said = key.translate(str.maketrans("./", "/."))
        return f"write it with dots: `sysctl.{said}`"
    return None
