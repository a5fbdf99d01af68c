"""sysctl: kernel parameters below /proc/sys.

A key is written with dots or with slashes; the first separator decides, as in
sysctl(8): `net.ipv4.conf.eth0/100.rp_filter` is `net/ipv4/conf/eth0.100/rp_filter`.
Below conf and neigh only the interface's name can hold a dot, so plain dots
are understood there too.

Sources: Documentation/admin-guide/sysctl/, kernel/sysctl.c, mm/page-writeback.c
(dirty_*), net/ipv4/devinet.c (inet_forward_change), net/core/neighbour.c.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    SecretStr,
    StrictInt,
    model_validator,
)

from runner.kinds.resources import _sysctl_table
from runner.kinds.resources.interface import UNSET, Cell, Facts, Json, Refused, Root, Values, reveal
from runner.records.secrets import from_written

WRITE_ONLY = {
    "vm/drop_caches": "drop_caches",
    "vm/compact_memory": "compact_memory",
    "net/ipv4/route/flush": "",
    "net/ipv6/route/flush": "",
    "vm/stat_refresh": "",
}
"""Keys that have an effect and no state, and the action that stands for them."""

READ_ONLY = frozenset({
    "kernel/osrelease", "kernel/ostype", "kernel/version", "kernel/cap_last_cap",
    "kernel/ngroups_max", "kernel/random/boot_id", "kernel/random/uuid",
    "kernel/random/entropy_avail", "kernel/random/poolsize", "kernel/random/random_boot_id",
    "fs/file-nr", "fs/inode-nr", "fs/inode-state", "fs/dentry-state", "fs/aio-nr",
    "net/ipv4/tcp_available_congestion_control", "net/ipv4/tcp_available_ulp",
    "net/netfilter/nf_conntrack_count",
})  # fmt: skip

_PAIRS = (
    ("vm/dirty_bytes", "vm/dirty_ratio"),
    ("vm/dirty_background_bytes", "vm/dirty_background_ratio"),
    ("vm/overcommit_kbytes", "vm/overcommit_ratio"),
    ("vm/nr_hugepages", "vm/nr_hugepages_mempolicy"),
)
"""One setting under two names: a spec says one of them."""
_TIMES = ("base_reachable_time", "retrans_time")

_RANGES = frozenset({"net/ipv4/ip_local_reserved_ports"})
_SETS = frozenset({"net/ipv4/tcp_allowed_congestion_control"})
_EXACT = frozenset({
    "kernel/core_pattern", "kernel/hostname", "kernel/domainname", "kernel/modprobe",
    "kernel/hotplug", "kernel/poweroff_cmd",
})  # fmt: skip
# In a namespace of their own; the rest of net.core belongs to the first one alone.
_NAMESPACED = ("net/ipv4/", "net/ipv6/", "net/mptcp/", "net/unix/", "net/netfilter/nf_conntrack_")
_NAMESPACED_CORE = frozenset({"net/core/somaxconn", "net/core/optmem_max", "net/core/txrehash"})
# Below net/ipv4, and yet of the machine.
_SHARED = frozenset({
    "net/ipv4/tcp_mem", "net/ipv4/udp_mem", "net/ipv4/tcp_max_orphans",
    "net/ipv4/inet_peer_threshold", "net/ipv4/inet_peer_minttl", "net/ipv4/inet_peer_maxttl",
    "net/netfilter/nf_conntrack_buckets", "net/netfilter/nf_conntrack_expect_max",
})  # fmt: skip

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)|0[xX][0-9a-fA-F]+")
_INTERFACE_KEY = re.compile(r"(net\.ipv[46]\.(?:conf|neigh))\.(.+)\.([^.]+)")
_ROOT = "/proc/sys/"


def relative(key: str) -> str:
    """Give the key as a path below /proc/sys; ValueError says how to write it."""
    name = key.strip()
    if name.startswith(_ROOT):
        raise ValueError(f"write the key without {_ROOT}: {name.removeprefix(_ROOT)}")
    separator = re.search(r"[./]", name)
    if separator is None:
        raise ValueError(f"`{key}` is not a sysctl key, such as vm.swappiness")
    if separator[0] == "/":
        path = name
    elif "/" not in name and (inner := _INTERFACE_KEY.fullmatch(name)):
        path = f"{inner[1].replace('.', '/')}/{inner[2]}/{inner[3]}"
    else:
        path = name.translate(str.maketrans("./", "/."))
    if any(part in ("", ".", "..") for part in path.split("/")) or not path.isprintable():
        raise ValueError(f"`{key}` is not a sysctl key, such as vm.swappiness")
    return path


def dotted(path: str) -> str:
    """Give the canonical name: dots, and `/` for a dot inside an interface's name."""
    return path.translate(str.maketrans("./", "/."))


def namespaced(key: str) -> bool:
    """Say whether a key belongs to the network namespace of who reads it."""
    path = relative(key)
    if path in _SHARED:
        return False
    return path in _NAMESPACED_CORE or path.startswith((*_NAMESPACED, "net/core/xfrm_"))


def coupled(path: str) -> tuple[str, ...]:
    """Kernel files that change when this key is written; `*` stands for every link."""
    paths = list(_sysctl_table.also(path))
    head, _, leaf = path.rpartition("/")
    if "/neigh/" in path:
        base = leaf.removesuffix("_ms")
        if base in _TIMES:
            paths.append(f"{head}/{base if leaf.endswith('_ms') else base + '_ms'}")
    return tuple(_ROOT + path for path in paths)


def _form(path: str, want: str | None) -> str:
    if path in _RANGES:
        return "ranges"
    if path in _SETS:
        return "set"
    if path in _EXACT:
        return "exact"
    return "integer" if want is not None and _INTEGER.fullmatch(want) else "words"


def _number_or_text(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"this is a YAML boolean: write {int(value)}")  # noqa: TRY004 - pydantic's word
    if isinstance(value, float):
        raise ValueError(f'kernel parameters are whole numbers or text: write "{value}" in quotes')  # noqa: TRY004 - pydantic's word
    return from_written(value)


Value = Annotated[StrictInt | str | SecretStr, BeforeValidator(_number_or_text)]


def _key(key: str) -> str:
    path = relative(key)
    if path in WRITE_ONLY:
        action = WRITE_ONLY[path]
        also = f": write `actions: [{action}]` beside sysctl" if action else ""
        raise ValueError(f"{key} is write-only, an action and not a state{also}")
    if path in READ_ONLY:
        raise ValueError(f"{key} is read-only: put it under `requires` to check it")
    return key


Key = Annotated[str, AfterValidator(_key)]


class SysctlModel(Root[dict[Key, Value]]):
    """`sysctl: {vm.swappiness: 10, net.ipv4.tcp_rmem: 4096 131072 6291456}`."""

    @model_validator(mode="after")
    def _one_value_each(self) -> "SysctlModel":
        seen: dict[str, str] = {}
        for key, value in self.root.items():
            path = relative(key)
            if path in seen:
                raise ValueError(f"{key} and {seen[path]} are the same key")
            seen[path] = key
            if isinstance(value, SecretStr):  # read when it is used, not before
                continue
            text = str(value)
            if not text.strip() and path not in _RANGES:
                raise ValueError(f"{key} is empty: the kernel would accept it and change nothing")
            if "\n" in text or "\0" in text:
                raise ValueError(f"{key} has more than one line")
            if why := _sysctl_table.no_way_back(path, text.strip()):
                raise ValueError(f"{key} cannot be put back after `{text.strip()}`: {why}")
        for a, b in _PAIRS:
            if a in seen and b in seen:
                raise ValueError(f"{seen[a]} and {seen[b]} are one setting in two units: keep one")
        return self


class Sysctl:
    """Kernel parameters."""

    name = "sysctl"
    doc = (
        "kernel parameters: `{vm.swappiness: 10, net.core.somaxconn: 4096}`; dots or slashes; "
        "coupled keys (dirty_bytes/dirty_ratio, ip_forward) are put back with it"
    )
    absent = "failed: the kernel has no such key"
    fixed = ""
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = SysctlModel

    def _cell(self, key: str, value: Any) -> Cell:
        path = relative(key)
        want, secret = (UNSET, False) if value is UNSET else reveal(value)
        text = None if want is UNSET else " ".join(str(want).split())
        form = _form(path, text)
        return Cell(
            id=f"sysctl:{dotted(path)}",
            via="pseudo",
            path=_ROOT + path,
            want=UNSET if text is None else (str(want) if form == "exact" else text),
            form=form,
            coupled=coupled(path),
            secret=secret,
        )

    def candidates(self, payload: SysctlModel) -> list[Json]:
        """Every key is read: its path needs no fact."""
        return [self._cell(key, UNSET).asking().to_json() for key in payload.root]

    def plan(self, payload: SysctlModel, facts: Facts, values: Values) -> list[Cell] | Refused:  # noqa: ARG002 - a key is the same on every host
        """One cell a key, in the order written."""
        cells = [self._cell(key, value) for key, value in payload.root.items()]
        for cell in cells:
            # what is secret is known only now
            why = cell.secret and _sysctl_table.no_way_back(
                cell.path.removeprefix(_ROOT), str(cell.want)
            )
            if why:
                return Refused(f"{cell.id} cannot be put back after this value: {why}")
        return cells


KIND = Sysctl()


def split_network(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """Part cells into those of the host and those of a trial's own network namespace."""
    inside = [
        cell
        for cell in cells
        if cell.id.startswith("sysctl:") and namespaced(cell.path.removeprefix(_ROOT))
    ]
    return [cell for cell in cells if cell not in inside], inside
