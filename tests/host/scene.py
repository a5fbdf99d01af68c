"""Everything that the agent changes, before and after."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.host import snapshot
from tests.host.agent import Host, pseudo
from tests.workers import own

if TYPE_CHECKING:
    from collections.abc import Iterator

IP = "/proc/sys/net/ipv4"
KHUGEPAGED = "/sys/kernel/mm/transparent_hugepage/khugepaged"
KEYS = [
    f"{IP}/ip_forward",
    f"{IP}/conf/all/accept_redirects",
    f"{IP}/conf/all/forwarding",
    f"{IP}/conf/default/forwarding",
    f"{IP}/conf/lo/forwarding",
    f"{IP}/neigh/lo/retrans_time_ms",
    "/proc/sys/net/core/somaxconn",
    own(
        f"{KHUGEPAGED}/scan_sleep_millisecs",
        f"{KHUGEPAGED}/alloc_sleep_millisecs",
        f"{KHUGEPAGED}/pages_to_scan",
        "/proc/sys/vm/laptop_mode",
    ),
]
ADDRESS = "192.0.2.7/32"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def file(path: Path, want: Any) -> dict[str, Any]:
    return {
        "id": f"file:{path}",
        "via": "file",
        "path": str(path),
        "form": "file",
        "runtime": False,
        "want": want,
    }


def prepare(root: Path) -> None:
    """Everything a file can be."""
    root.mkdir()
    plain = root / "plain"
    plain.write_bytes(bytes(range(256)))
    plain.chmod(0o4750)
    os.chown(plain, 12, 34)
    os.setxattr(plain, "user.colour", b"blue\0")
    os.utime(plain, ns=(1, 1_234_567_890_123_456_789))
    (root / "link").symlink_to("nowhere/at all")
    os.utime(root / "link", ns=(1, 987_654_321), follow_symlinks=False)
    (root / "to-file").symlink_to("plain")
    (root / "twice").write_text("two names")
    os.link(root / "twice", root / "other-name")
    (root / "gone").write_text("will be removed")
    folder = root / "folder"
    folder.mkdir(mode=0o711)
    os.chown(folder, 5, 6)


def swap_file(root: Path) -> Path:
    return root.with_name("swap")


def prepare_swap(root: Path) -> None:
    file = swap_file(root)
    with file.open("wb") as out:
        out.write(bytes(1 << 20))  # no holes: swapon refuses them
    file.chmod(0o600)
    subprocess.run(["mkswap", "-q", str(file)], check=True)


def cells(root: Path, group: Path) -> list[dict[str, Any]]:
    limit = pseudo(
        str(group / "inner" / "memory.limit_in_bytes"), "33554432", form="page", after=["group"]
    )
    return [
        pseudo(KEYS[0], "1", coupled=KEYS[1:5]),
        pseudo(KEYS[5], "101"),  # rounded: fails and is put back all the same
        pseudo(KEYS[6], "1234"),
        pseudo(KEYS[7], "10001"),
        file(
            root / "plain",
            {
                "type": "file",
                "bytes_b64": b64(b"new"),
                "mode": 0o600,
                "xattrs": {"user.shape": "eA=="},
            },
        ),
        file(root / "link", {"type": "file", "bytes_b64": b64(b"no link any more")}),
        file(root / "to-file", {"type": "symlink", "target": "elsewhere"}),
        file(root / "twice", {"type": "file", "bytes_b64": b64(b"one content, two names")}),
        file(root / "gone", None),
        file(root / "folder", {"type": "dir", "mode": 0o700, "uid": 0}),
        file(root / "a" / "b" / "new", {"type": "file", "bytes_b64": b64(b"deep")}),
        *(
            file(root / "many" / f"{n}", {"type": "file", "bytes_b64": b64(b"x"), "mode": 0o640})
            for n in range(10)
        ),
        {"id": "group", "via": "cgroup", "path": str(group / "inner"), "want": "present"},
        limit,
        {"id": "mtu", "via": "link", "name": "lo", "attr": "mtu", "want": "1400"},
        {
            "id": "address",
            "via": "argv",
            "name": "lo 192.0.2.7/32",
            "read": ["ip", "-4", "-o", "address", "show", "dev", "lo"],
            "parse": r"\sinet\s(192\.0\.2\.7/32)\s",
            "write": {
                ADDRESS: ["ip", "address", "add", ADDRESS, "dev", "lo"],
                "null": ["ip", "address", "del", ADDRESS, "dev", "lo"],
            },
            "want": ADDRESS,
        },
        {"id": "swap", "via": "swap", "path": str(swap_file(root)), "want": {"priority": 5}},
    ]


class Scene:
    """One host with its state before, and what is asked of it."""

    def __init__(self, host: Host, root: Path, group: Path) -> None:
        self.host, self.root, self.group = host, root, group
        self.cells = cells(root, group)
        host.probe()  # brings the agent, which is not what is killed here
        self.before = self.now()

    def now(self) -> Any:
        return {
            "files": snapshot.tree(self.root),
            "keys": snapshot.keys(self.host, KEYS),
            "group": self.group.exists(),
            "link": self._says("ip", "-o", "link", "show", "lo"),
            "addresses": self._says("ip", "-o", "address", "show", "lo"),
            "swap": str(swap_file(self.root)) in Path("/proc/swaps").read_text(),
        }

    def _says(self, *argv: str) -> str:
        return subprocess.run(
            [*self.host.prefix, *argv], capture_output=True, text=True, check=True
        ).stdout

    def same(self, what: str) -> None:
        assert {what: self.now()} == {what: self.before}
        assert not (self.host.state / "journal.jsonl").exists(), what
        assert not (self.host.state / "hold.json").exists(), what


@pytest.fixture
def scene(net: Host, tmp_path: Path, group: Path) -> Iterator[Scene]:
    prepare(tmp_path / "files")
    prepare_swap(tmp_path / "files")
    yield Scene(net, tmp_path / "files", group)
    subprocess.run(
        ["swapoff", str(swap_file(tmp_path / "files"))], capture_output=True, check=False
    )
