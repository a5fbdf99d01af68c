"""What differs between two kernel command lines, as `kernel_cmdline` declares it. Pure.

Words that find this machine's disk, console or network say nothing of what is measured, and with
another machine's a board does not come up again: they are left as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from runner.planning.layers import KERNEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.runs.side import Side
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment

FACT: Final = "kernel.cmdline"
PATH: Final = ("system", KERNEL)
NOT_ALLOWED: Final = "takes a reboot: --reboot lets the host be booted with either"
OF_THE_MACHINE: Final = "finds the machine's own disk, console or network: left as it is"
MACHINES: Final = frozenset(
    {"BOOT_IMAGE", "initrd", "init", "rdinit", "root", "rootfstype", "rootflags", "rootwait",
     "rootdelay", "ro", "rw", "resume", "console", "earlycon", "earlyprintk", "ip", "nfsroot",
     "nfsaddrs", "cryptdevice", "fsck.repair", "smsc95xx.macaddr", "bcm2711_pcie.macaddr",
     "vc_mem.mem_base", "vc_mem.mem_size", "bcm2708_fb.fbwidth", "bcm2708_fb.fbheight",
     "bcm2708_fb.fbdepth", "bcm2708_fb.fbswap", "virtio_mmio.device", "panic", "reboot"}
)  # fmt: skip
"""Keys of words (Documentation/admin-guide/kernel-parameters.txt; a Raspberry Pi's firmware)."""


class BootWords(NamedTuple):
    """The words that one side alone was booted with."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    machines_a: tuple[str, ...]
    """Those of them that are not varied."""
    machines_b: tuple[str, ...]


def boot_words(a: Side, b: Side) -> BootWords | None:
    """Sort what differs; None where a record does not say how its kernel was booted."""
    lines = [side.facts.get(FACT) for side in (a, b)]
    if not all(isinstance(line, str) for line in lines):
        return None
    x, y = (tuple(dict.fromkeys(str(line).split())) for line in lines)
    only = [word for word in x if word not in y], [word for word in y if word not in x]
    varied = [tuple(word for word in words if not _machines(word)) for words in only]
    left = [tuple(word for word in words if _machines(word)) for words in only]
    return BootWords(varied[0], varied[1], left[0], left[1])


def declared(words: BootWords, asked: Sequence[str]) -> tuple[Json, Json]:
    """Write both as the key of a spec says it; of what it asks for itself stays what both have."""
    both = [word for word in asked if word not in {*words.a, *words.b}]
    return (
        {"present": [*both, *words.a], "absent": list(words.b), "reboot": "allowed"},
        {"present": [*both, *words.b], "absent": list(words.a), "reboot": "allowed"},
    )


def may_boot(spec: Experiment) -> bool:
    """Say whether a spec has its host rebooted anyway."""
    levels = spec.repeat.levels
    asked = dict(spec.system.items()).get(KERNEL)
    return (levels is not None and levels.boot is not None) or (
        getattr(asked, "reboot", "") == "allowed"
    )


def _machines(word: str) -> bool:
    return word.partition("=")[0] in MACHINES
