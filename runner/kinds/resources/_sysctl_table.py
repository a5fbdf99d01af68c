"""What writing a kernel parameter does beside it: read in the kernel's source, one row each.

A row either names the kernel files that change with the key, which are then journalled
and put back with it, or says why the key is refused: what changes with it is not a value
of /proc/sys, or has no way back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Also:
    """Kernel files that change with a key; `*` stands for every link, LINK for that of the key."""

    key: str
    """Regular expression of the path below /proc/sys."""
    changes: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class NoWayBack:
    """A key that is refused, where its value is not one of `unless`."""

    key: str
    why: str
    source: str
    unless: frozenset[str] = frozenset()


_V4, _V6 = "net/ipv4/conf", "net/ipv6/conf"
_ADDRESSES: Final = "the kernel removes the addresses and routes of the links with it"
_ROUTERS: Final = "the kernel drops the default routes that it learned from routers with it"

ALSO: Final = (
    Also("vm/dirty_bytes", ("vm/dirty_ratio",), "mm/page-writeback.c dirty_bytes_handler"),
    Also("vm/dirty_ratio", ("vm/dirty_bytes",), "mm/page-writeback.c dirty_ratio_handler"),
    Also("vm/dirty_background_bytes", ("vm/dirty_background_ratio",),
         "mm/page-writeback.c dirty_background_bytes_handler"),
    Also("vm/dirty_background_ratio", ("vm/dirty_background_bytes",),
         "mm/page-writeback.c dirty_background_ratio_handler"),
    Also("vm/overcommit_kbytes", ("vm/overcommit_ratio",), "mm/util.c overcommit_kbytes_handler"),
    Also("vm/overcommit_ratio", ("vm/overcommit_kbytes",), "mm/util.c overcommit_ratio_handler"),
    Also("vm/nr_hugepages", ("vm/nr_hugepages_mempolicy",), "mm/hugetlb.c"),
    Also("vm/nr_hugepages_mempolicy", ("vm/nr_hugepages",), "mm/hugetlb.c"),
    Also("kernel/watchdog", ("kernel/nmi_watchdog", "kernel/soft_watchdog"),
         "kernel/watchdog.c proc_watchdog_common"),
    Also("kernel/(?:nmi|soft)_watchdog", ("kernel/watchdog",),
         "kernel/watchdog.c proc_watchdog_common"),
    Also("net/ipv4/ip_forward", (f"{_V4}/*/forwarding", f"{_V4}/all/accept_redirects"),
         "net/ipv4/devinet.c inet_forward_change"),
    Also(f"{_V4}/all/forwarding",
         ("net/ipv4/ip_forward", f"{_V4}/*/forwarding", f"{_V4}/all/accept_redirects"),
         "net/ipv4/devinet.c inet_forward_change"),
    Also(f"{_V4}/default/(?!forwarding$)(?P<name>[^/]+)", (f"{_V4}/*/NAME",),
         "net/ipv4/devinet.c devinet_copy_dflt_conf: links without a value of their own follow"),
    Also("net/ipv4/neigh/default/(?P<name>[^/]+)", ("net/ipv4/neigh/*/NAME",),
         "net/core/neighbour.c neigh_copy_dflt_parms"),
    Also("net/ipv6/neigh/default/(?P<name>[^/]+)", ("net/ipv6/neigh/*/NAME",),
         "net/core/neighbour.c neigh_copy_dflt_parms"),
    Also("net/ipv4/tcp_congestion_control", ("net/ipv4/tcp_allowed_congestion_control",),
         "net/ipv4/tcp_cong.c tcp_set_default_congestion_control"),
    Also(f"{_V6}/all/(?P<name>forwarding|disable_ipv6|ignore_routes_with_linkdown)",
         (f"{_V6}/*/NAME",), "net/ipv6/addrconf.c addrconf_forward_change, "
         "addrconf_disable_change, addrconf_linkdown_change"),
)  # fmt: skip

_OFF: Final = frozenset({"0"})
NO_WAY_BACK: Final = (
    NoWayBack(f"{_V6}/(?!default/)[^/]+/disable_ipv6", _ADDRESSES,
              "net/ipv6/addrconf.c dev_disable_change, addrconf_ifdown", _OFF),
    NoWayBack(f"{_V6}/(?!default/)[^/]+/forwarding", _ROUTERS,
              "net/ipv6/addrconf.c addrconf_fixup_forwarding, rt6_purge_dflt_routers", _OFF),
    NoWayBack(f"{_V6}/(?!default/)[^/]+/addr_gen_mode", "the links get other addresses with it",
              "net/ipv6/addrconf.c addrconf_sysctl_addr_gen_mode"),
    NoWayBack(f"{_V6}/[^/]+/stable_secret", "the links make their addresses of it, and it cannot "
              "be taken back to none", "net/ipv6/addrconf.c addrconf_sysctl_stable_secret"),
    NoWayBack("kernel/modules_disabled", "once set it stays until the next boot",
              "kernel/module/main.c, kernel/sysctl.c (minimum is 1)", _OFF),
    NoWayBack("kernel/kexec_load_disabled", "once set it stays until the next boot",
              "kernel/kexec_core.c", _OFF),
    NoWayBack("kernel/kexec_load_limit_(?:panic|reboot)", "it can only be lowered",
              "kernel/kexec_core.c kexec_limit_handler"),
    NoWayBack("kernel/unprivileged_bpf_disabled", "from 1 there is no way back",
              "kernel/bpf/syscall.c bpf_unpriv_handler", frozenset({"0", "2"})),
    NoWayBack("kernel/yama/ptrace_scope", "from 3 there is no way back",
              "security/yama/yama_lsm.c yama_dointvec_minmax", frozenset({"0", "1", "2"})),
    NoWayBack("kernel/tainted", "marks are set and never taken off", "kernel/sysctl.c proc_taint"),
    NoWayBack("kernel/ns_last_pid", "it goes on with every process that starts",
              "kernel/pid_namespace.c"),
    NoWayBack("kernel/(?:msg|sem|shm)_next_id", "it is used up by the next object",
              "ipc/util.c"),
    NoWayBack("kernel/loadpin/enforce", "once set it stays until the next boot",
              "security/loadpin/loadpin.c", _OFF),
)  # fmt: skip


def also(path: str) -> tuple[str, ...]:
    """Give the kernel files below /proc/sys that change when this one is written."""
    paths: list[str] = []
    for row in ALSO:
        matched = re.fullmatch(row.key, path)
        if matched is None:
            continue
        name = matched.groupdict().get("name") or ""
        paths += [one.replace("NAME", name) for one in row.changes]
    return tuple(one for one in dict.fromkeys(paths) if one != path)


def no_way_back(path: str, value: str) -> str | None:
    """Say why a key cannot be set to a value, with its source in the kernel; None where it can."""
    for row in NO_WAY_BACK:
        if re.fullmatch(row.key, path) and value not in row.unless:
            return f"{row.why} ({row.source})"
    return None
