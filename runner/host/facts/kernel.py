"""Facts of the kernel's settings: control groups, THP, pressure, sysctls.

Sources: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst, mm/transhuge.rst,
Documentation/accounting/psi.rst.
"""

from __future__ import annotations

import os
import re

from ..cells import normal_forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

    from .builder import Facts

SYSCTLS = (
    "fs.file-max", "fs.nr_open", "kernel.numa_balancing", "kernel.perf_event_paranoid",
    "kernel.randomize_va_space", "kernel.sched_autogroup_enabled", "kernel.pid_max",
    "kernel.threads-max", "net.core.netdev_max_backlog", "net.core.rmem_max", "net.core.somaxconn",
    "net.core.wmem_max", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_wmem",
    "vm.dirty_background_ratio", "vm.dirty_ratio", "vm.max_map_count", "vm.min_free_kbytes",
    "vm.overcommit_memory", "vm.overcommit_ratio", "vm.swappiness", "vm.vfs_cache_pressure",
)  # fmt: skip
_DOTS = str.maketrans("./", "/.")
_THP = "/sys/kernel/mm/transparent_hugepage"


def mounts(text: str) -> Tuple[Dict[str, str], Optional[str]]:
    """Read /proc/self/mounts: folder of each v1 controller, and of v2.

    The last mount of one kind is the one in sight. Blanks come as octal.
    """
    v1: Dict[str, str] = {}
    v2: Optional[str] = None
    for line in text.splitlines():
        words = line.split()
        if len(words) < 4:
            continue
        path = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), words[1])
        if words[2] == "cgroup2":
            v2 = path
        elif words[2] == "cgroup":
            for option in words[3].split(","):
                if option in _V1_CONTROLLERS:
                    v1[option] = path
    return v1, v2


_V1_CONTROLLERS = (
    "memory", "cpu", "cpuacct", "cpuset", "pids", "blkio", "devices", "freezer", "hugetlb",
    "net_cls", "net_prio", "perf_event", "rdma", "misc",
)  # fmt: skip


def _cgroup(facts: Facts) -> None:
    v1, v2 = mounts(facts.text("/proc/self/mounts") or "")
    inside = (facts.text(f"{v2}/cgroup.controllers") or "").split() if v2 else []
    # by what is there and never by the distribution: a hybrid host has both, and
    # a controller belongs to one of them
    version = 2 if v2 and (inside or not v1) else 1 if v1 else None
    if v1 and "memory" in v1:
        version = 1
    facts.put("cgroup.version", version, "no cgroup file system is mounted")
    facts.put("cgroup.hybrid", bool(v1 and v2))
    facts.put("cgroup.mounts", {**v1, **({"unified": v2} if v2 else {})})
    facts.put("cgroup.controllers", sorted({*inside, *v1}))
    enabled = _enabled(facts)
    memory = "memory" in inside or "memory" in v1
    facts.put("cgroup.memory", memory)
    if not memory:
        cmdline = facts.text("/proc/cmdline") or ""
        why = (
            "the kernel was started with cgroup_disable=memory"
            if "cgroup_disable=memory" in cmdline.split() and not enabled.get("memory")
            else "the controller is in no hierarchy"
        )
        facts.absent["cgroup.memory"] = why
    folder = v1.get("memory")
    if folder:
        # the root group of v1 has the file, which accounts for swap of all
        name = "memory.memsw.limit_in_bytes"
        facts.put("cgroup.memsw", os.path.exists(f"{folder}/{name}"))
    else:
        facts.put("cgroup.memsw", None, "a file of cgroup v1")
    facts.put("cgroup.own", facts.text("/proc/self/cgroup"), "a kernel without cgroups")
    facts.put("cgroup.delegated", _delegated(facts, v2), "no subgroup of v2 is ours to write")


def _enabled(facts: Facts) -> Dict[str, bool]:
    lines = (facts.text("/proc/cgroups") or "").splitlines()[1:]
    rows: List[List[str]] = [line.split() for line in lines]
    return {row[0]: row[3] == "1" for row in rows if len(row) > 3}


def _delegated(facts: Facts, v2: Optional[str]) -> Optional[str]:
    """Give the v2 group that this user may make groups in, where it is not root."""
    if not v2 or os.geteuid() == 0:
        return None
    uid = os.geteuid()
    own = re.search(r"^0::(.*)$", facts.text("/proc/self/cgroup") or "", re.MULTILINE)
    manager = f"/user.slice/user-{uid}.slice/user@{uid}.service"
    for path in [manager, *([own.group(1)] if own else [])]:
        folder = v2 + path
        if os.access(folder, os.W_OK) and os.access(f"{folder}/cgroup.subtree_control", os.W_OK):
            return folder
    return None


def _thp(facts: Facts) -> None:
    for fact, name in (
        ("thp", "enabled"),
        ("thp.defrag", "defrag"),
        ("thp.shmem", "shmem_enabled"),
    ):
        text = facts.text(f"{_THP}/{name}")
        value = None if text is None else normal_forms.plain("bracket", text)
        facts.put(fact, value, "a kernel without transparent huge pages")
    facts.put(
        "thp.khugepaged_defrag", facts.text(f"{_THP}/khugepaged/defrag"), "a kernel without THP"
    )


def _psi(facts: Facts) -> None:
    # with psi=0 on the command line the files are there and a read fails
    facts.put("psi", facts.text("/proc/pressure/memory") is not None)
    facts.put("ksm", facts.text("/sys/kernel/mm/ksm/run"), "a kernel without KSM")
    facts.put("zswap", facts.text("/sys/module/zswap/parameters/enabled"), "a kernel without zswap")
    facts.put("aslr", facts.text("/proc/sys/kernel/randomize_va_space"), "not in /proc/sys")


def _sysctl(facts: Facts) -> None:
    for key in SYSCTLS:
        sysctl(facts, key)


def sysctl(facts: Facts, key: str) -> None:
    """Note one kernel parameter; a `/` in its name is a dot of an interface's."""
    text = facts.text("/proc/sys/" + key.translate(_DOTS))
    value = None if text is None else normal_forms.plain("words", text)
    facts.put(f"sysctl.{key}", value, "this kernel has no such key, or hides it")


PARTS = {"cgroup": _cgroup, "thp": _thp, "psi": _psi, "sysctl": _sysctl}
