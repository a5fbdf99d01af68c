"""What goes into the board's image: packages of Debian, and the files that make it a board.

No secret and no name of a user is in the image: the key that opens a board comes
with its first root (see `initrd.seed`).
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from runner.board.initrd import SCRIPT

VERSION: Final = 2
"""Raise it when a change below the data of this module changes the image."""

SUITE: Final = "bookworm"
"""The last Debian whose systemd (252) still boots with cgroup v1."""

ARCHITECTURE: Final = "arm64"
DISK_BYTES: Final = 4 << 30
"""Sparse; an SD card of QEMU has to be a power of two."""

PACKAGES: Final = (
    "busybox-static",
    "ca-certificates",
    "dbus",
    "iproute2",
    "iputils-ping",
    "kmod",
    "linux-image-arm64",
    "nghttp2-client",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd-sysv",
    "udev",
    "wrk",
)

_MODULES = "/lib/modules/*/kernel"
EXCLUDED: Final = (
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/doc/*",
    "/usr/share/info/*",
    f"{_MODULES}/sound/*",
    f"{_MODULES}/drivers/gpu/*",
    f"{_MODULES}/drivers/media/*",
    f"{_MODULES}/drivers/staging/*",
    f"{_MODULES}/drivers/infiniband/*",
    f"{_MODULES}/drivers/iio/*",
    f"{_MODULES}/drivers/scsi/*",
    f"{_MODULES}/drivers/net/ethernet/*",
    f"{_MODULES}/drivers/net/wireless/*",
)
"""Files of packages that a board without a screen never reads; two thirds of the image."""

BEFORE_PACKAGES: Final = (
    # the board boots with an initrd of its own; the package's takes minutes under emulation
    'chroot "$1" dpkg-divert --quiet --local --rename --add /usr/sbin/update-initramfs',
    'ln -s /bin/true "$1/usr/sbin/update-initramfs"',
    # the host key comes with the first root: none is made, which takes a minute for RSA
    (
        'mkdir -p "$1/etc/ssh"; for kind in rsa ecdsa ed25519; do '
        ': > "$1/etc/ssh/ssh_host_${kind}_key"; : > "$1/etc/ssh/ssh_host_${kind}_key.pub"; done'
    ),
)
"""Shell lines of mmdebstrap, run when the essential packages are there; $1 is the root."""

USERS: Final = {"pi": True, "guest": False}
"""Login users beside root, and whether they may use sudo without a password."""

MASKED: Final = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "systemd-rfkill.socket",
    "systemd-timesyncd.service",
    "systemd-update-utmp.service",
)
"""Units that would work beside an experiment, or that a board without a screen waits for."""

FILES: Final = {
    "/etc/hostname": "virtual\n",
    "/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 virtual\n",
    "/etc/resolv.conf": "",
    "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "/etc/fstab": "",
    "/etc/ssh/sshd_config.d/board.conf": (
        "UseDNS no\n"
        "PermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\n"
        "HostKey /etc/ssh/ssh_host_ed25519_key\n"
    ),
    # differences of lists are patched together one by one, slowly
    "/etc/apt/apt.conf.d/90board": 'Acquire::Languages "none";\nAcquire::PDiffs "false";\n',
    # where a Raspberry Pi keeps its kernel command line; read again at every boot
    "/boot/firmware/cmdline.txt": "console=serial0,115200 console=tty1 root=/dev/vda rootwait\n",
}

MODULES: Final = {
    "virt": (
        "virtio_pci",
        "virtio_mmio",
        "virtio_blk",
        "crc32c_generic",
        "ext4",
        "virtio_net",
        "virtio_rng",
        "af_packet",
    ),
    "raspi3b": (
        "bcm2835_dma",
        "bcm2835",
        "sdhci_iproc",
        "mmc_block",
        "clk_raspberrypi",
        "raspberrypi",
        "crc32c_generic",
        "ext4",
        "phy_generic",
        "usb_nop_xceiv",
        "nop_usb_xceiv",
        "dwc2",
        "usbhid",
        "usbnet",
        "rndis_host",
        "cdc_ether",
        "af_packet",
    ),
}
"""Kernel modules of the first root by machine; one that the kernel has built in is passed over."""

DEVICE_TREES: Final = ("bcm2837-rpi-3-b.dtb",)


def identity() -> str:
    """Give the name of the image that this recipe makes: 16 hex digits."""
    parts = [
        VERSION, SUITE, ARCHITECTURE, DISK_BYTES, PACKAGES, EXCLUDED, BEFORE_PACKAGES,
        USERS, MASKED, FILES, MODULES, DEVICE_TREES, SCRIPT,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
