"""A board as QEMU's arguments and as the kernel's command line."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.board.archive import ADDRESS

if TYPE_CHECKING:
    from pathlib import Path

    from runner.board.names import Board

QEMU: Final = "qemu-system-aarch64"
SNAPSHOT: Final = "ready"
_MASKED: Final = (
    "systemd-udev-trigger.service",
    "systemd-logind.service",
    "systemd-binfmt.service",
    "systemd-networkd.service",
    "serial-getty@ttyAMA0.service",
)
# of cmdline.txt these are for the firmware of a real board; ours come from the launcher
_FIRMWARE: Final = ("console=", "root=", "rootfstype=", "rootwait", "fsck.repair=", "init=")


@dataclass(frozen=True, slots=True)
class Files:
    """What a machine is made of, as paths."""

    kernel: Path
    initrd: Path
    disk: Path
    """qcow2; the only one written to."""
    device_tree: Path | None = None


def kernel_line(board: Board, cmdline_txt: str = "") -> str:
    """Give the kernel's command line: the launcher's words, then those of cmdline.txt.

    Raspberry Pi kernels undo an earlier `cgroup_disable=memory` at a later
    `cgroup_enable=memory`. Debian's does not know the second word: it is passed on,
    and the first is left out here.
    """
    root = "/dev/mmcblk0" if board.machine == "raspi3b" else "/dev/vda"
    own = [word for word in cmdline_txt.split() if not word.startswith(_FIRMWARE)]
    words = [f"root={root}", "rootfstype=ext4", "rw", "console=ttyAMA0", "quiet", "loglevel=3"]
    words += ["systemd.show_status=0", "net.ifnames=0", "fstab=no"]
    words += [f"systemd.mask={unit}" for unit in _MASKED]
    if board.machine == "raspi3b":
        words.append("dwc_otg.fiq_fsm_enable=0")
    if board.cgroup == 1:
        words += [
            "systemd.unified_cgroup_hierarchy=0",
            "systemd.legacy_systemd_cgroup_controller=1",
        ]
    if not board.memory_controller and "cgroup_enable=memory" not in own:
        words.append("cgroup_disable=memory")
    return " ".join(words + own)


def arguments(
    board: Board, files: Files, *, port: int, line: str, restore: bool = False
) -> list[str]:
    """Give QEMU's argument list; its sockets and logs are in the folder it is started in.

    The guest is reached by the forwarded port alone, which listens on loopback, and
    reaches nothing but Debian's archive, which a program of ours answers for.
    A reboot of the guest ends QEMU: the keeper reads cmdline.txt and starts it again.
    """
    argv = [QEMU, "-name", board.name, *_machine(board), "-accel", "tcg,thread=multi,tb-size=512"]
    argv += ["-display", "none", "-nodefaults", "-no-user-config", "-no-reboot"]
    argv += ["-serial", "file:console.log"]
    argv += ["-qmp", "unix:qmp.sock,server=on,wait=off"]
    argv += ["-qmp", "unix:keeper.sock,server=on,wait=off"]
    argv += ["-pidfile", "qemu.pid"]
    argv += ["-kernel", str(files.kernel), "-initrd", str(files.initrd), "-append", line]
    if files.device_tree is not None:
        argv += ["-dtb", str(files.device_tree)]
    disk = f"file={files.disk},format=qcow2,cache=unsafe,discard=unmap"
    answer = shlex.join([sys.executable, "-m", "runner.board.archive"]).replace(",", ",,")
    network = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
    argv += ["-netdev", f"{network},guestfwd=tcp:{ADDRESS}:80-cmd:{answer}"]
    if board.machine == "raspi3b":
        argv += ["-drive", f"{disk},if=sd", "-device", "usb-net,netdev=net"]
    else:
        argv += ["-drive", f"{disk},if=none,id=disk", "-device", "virtio-blk-pci,drive=disk"]
        argv += ["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"]
    if restore:
        argv += ["-loadvm", SNAPSHOT]
    return argv


def _machine(board: Board) -> list[str]:
    if board.machine == "raspi3b":
        return ["-M", "raspi3b"]
    return [
        "-M", "virt", "-cpu", "cortex-a72", "-smp", str(board.cpus), "-m", str(board.memory_mib),
    ]  # fmt: skip
