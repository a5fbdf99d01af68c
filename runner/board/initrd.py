"""The first root of a board: busybox, a handful of kernel modules, one script.

Debian's own initrd takes half of an emulated boot: it starts udev, looks for
disks that cannot be there, configures the network. Here everything is known.
"""

from __future__ import annotations

import lzma
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from runner.board.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_APPLETS: Final = (
    "sh", "cat", "chmod", "chown", "cp", "insmod", "ip", "ls", "mkdir", "mount", "sleep",
    "switch_root", "umount",
)  # fmt: skip
_DIRECTORY: Final = 0o040755
_EXECUTABLE: Final = 0o100755
_PRIVATE: Final = 0o100600
_SYMLINK: Final = 0o120777

SCRIPT: Final = """\
#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
while read module; do insmod "/mod/$module"; done < /mod/order
i=0; root=
while [ -z "$root" ] && [ $i -lt 600 ]; do
  for disk in /dev/vda /dev/mmcblk0 /dev/mmcblk1; do [ -b $disk ] && root=$disk; done
  [ -n "$root" ] || sleep 0.1; i=$((i+1))
done
i=0; link=
while [ -z "$link" ] && [ $i -lt 300 ]; do
  for name in eth0 usb0; do [ -e /sys/class/net/$name ] && link=$name; done
  [ -n "$link" ] || sleep 0.1; i=$((i+1))
done
ip addr add 127.0.0.1/8 dev lo; ip link set lo up
ip addr add 10.0.2.15/24 dev $link && ip link set $link up && ip route add default via 10.0.2.2
mount -t ext4 -o rw,noatime $root /new || { echo "no root on $root"; exec sh; }
cp /seed/host_key /new/etc/ssh/ssh_host_ed25519_key; chmod 600 /new/etc/ssh/ssh_host_ed25519_key
while read user home; do
  mkdir -p /new$home/.ssh; cp /seed/authorized_keys /new$home/.ssh/authorized_keys
  chmod 700 /new$home/.ssh; chmod 600 /new$home/.ssh/authorized_keys
  chown -R $user /new$home/.ssh
done < /seed/users
mount --move /dev /new/dev; umount /proc; umount /sys
exec switch_root /new /sbin/init
"""


def archive(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Give a cpio archive of the `newc` form (Documentation/driver-api/early-userspace)."""
    content = bytearray()
    number = 0
    for number, (name, mode, data) in enumerate((*entries, ("TRAILER!!!", 0, b"")), start=1):
        path = name.encode() + b"\0"
        # ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
        head = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        content += b"070701" + b"".join(b"%08x" % value for value in head) + path
        content += bytes(-len(content) % 4)
        content += data
        content += bytes(-len(content) % 4)
    return bytes(content)


def load_order(names: Iterable[str], dependencies: str, builtin: str) -> list[str]:
    """Give the files of modules in the order of loading, from modules.dep and modules.builtin.

    A module that is built in, or that this kernel does not know, is left out.
    """
    needs = {}
    for line in dependencies.splitlines():
        file, _, others = line.partition(":")
        needs[file] = others.split()
    files = {module_name(file): file for file in needs}
    inside = {module_name(line) for line in builtin.split()}
    order: list[str] = []
    for name in names:
        if name in inside or name not in files:
            continue
        file = files[name]
        # modules.dep names the nearest dependency first
        order += [other for other in (*reversed(needs[file]), file) if other not in order]
    return order


def module_name(file: str) -> str:
    """`kernel/fs/ext4/ext4.ko.xz` → `ext4`; dashes are underscores, as in lsmod."""
    return PurePosixPath(file).name.split(".ko")[0].replace("-", "_")


def first_root(root: Path, kernel: str, modules: Iterable[str]) -> bytes:
    """Give the initrd made of a root folder's busybox and kernel modules."""
    folder = root / "lib/modules" / kernel
    busybox = root / "bin/busybox"
    if not busybox.is_file():
        raise BoardError(f"{busybox} is missing", fix="remove the folder and build again")
    order = load_order(
        modules,
        (folder / "modules.dep").read_text(encoding="utf-8"),
        (folder / "modules.builtin").read_text(encoding="utf-8"),
    )
    entries: list[tuple[str, int, bytes]] = [
        (name, _DIRECTORY, b"") for name in ("bin", "mod", "proc", "sys", "dev", "new", "seed")
    ]
    entries.append(("bin/busybox", _EXECUTABLE, busybox.read_bytes()))
    entries += [(f"bin/{name}", _SYMLINK, b"busybox") for name in _APPLETS]
    names = []
    for file in order:
        data = (folder / file).read_bytes()
        if file.endswith(".xz"):
            data = lzma.decompress(data)
        name = f"{module_name(file)}.ko"
        entries.append((f"mod/{name}", _PRIVATE, data))
        names.append(name)
    entries.append(("mod/order", _PRIVATE, "".join(f"{name}\n" for name in names).encode()))
    entries.append(("init", _EXECUTABLE, SCRIPT.encode()))
    return archive(entries)


def seed(*, public_key: str, host_key: str, homes: Mapping[str, str]) -> bytes:
    """Give what makes a board its user's own; the kernel unpacks it after the first root.

    `homes` names the folder of every user that the key opens, by `uid:gid`.
    """
    files = {
        "authorized_keys": public_key,
        "host_key": host_key,
        "users": "".join(f"{user} {home}\n" for user, home in homes.items()),
    }
    return archive((f"seed/{name}", _PRIVATE, text.encode()) for name, text in files.items())
