"""Facts of the hardware: board, processor, clock, temperature, memory.

Sources: Raspberry Pi documentation "Revision codes"; Documentation/admin-guide/pm/cpufreq.rst,
Documentation/driver-api/thermal/sysfs-api.rst; arch/arm64/include/asm/cputype.h.
"""

from __future__ import annotations

import glob
import os
import re

from ..cells.swaps import table
from ..which import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

    from .builder import Facts

_TREE = ("/proc/device-tree", "/sys/firmware/devicetree/base")
_ARM_PARTS = {
    0xB76: "ARM1176", 0xC07: "Cortex-A7", 0xD03: "Cortex-A53", 0xD04: "Cortex-A35",
    0xD05: "Cortex-A55", 0xD07: "Cortex-A57", 0xD08: "Cortex-A72", 0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD0C: "Neoverse-N1", 0xD40: "Neoverse-V1",
    0xD41: "Cortex-A78", 0xD49: "Neoverse-N2", 0xD4F: "Neoverse-V2",
}  # fmt: skip
_ARM_LTD = 0x41
_CPU = "/sys/devices/system/cpu"
THROTTLED = "/sys/devices/platform/soc*/soc*firmware/get_throttled"
"""The firmware's node: `soc/soc:firmware`; on a Pi 5 both have the bus' address in their names."""
_OLD_CODES = range(0x2, 0x16)
"""Revisions before the Pi 2; any other small number is some other board's."""
_NEW_STYLE = 1 << 23
_WARRANTY = 0x3 << 24
_MEMORY = ("256MB", "512MB", "1GB", "2GB", "4GB", "8GB", "16GB")
"""By three bits of a revision code; 7 stands for something else."""


def _tree(facts: Facts, name: str) -> Optional[str]:
    return next((text for root in _TREE if (text := facts.text(f"{root}/{name}"))), None)


def _board(facts: Facts) -> None:
    model = _tree(facts, "model")
    if model is None:
        product = facts.text("/sys/class/dmi/id/product_name")
        vendor = facts.text("/sys/class/dmi/id/sys_vendor")
        model = " ".join(word for word in (vendor, product) if word) or None
    facts.put("board.model", model, "neither a device tree nor DMI names a model")
    compatible = (_tree(facts, "compatible") or "").split("\0")
    facts.put("board.compatible", [c for c in compatible if c] or None, "no device tree")
    code = _revision(facts, model or "", compatible)
    facts.put("board.revision", None if code is None else f"{code:x}", "not a Raspberry Pi")
    facts.put("board.memory", _nominal(code), "no revision code that says how much was built in")
    _emulated(facts, model or "", compatible)


def _revision(facts: Facts, model: str, compatible: List[str]) -> Optional[int]:
    """Give the revision code of a Raspberry Pi; None of what is none, or says 0000.

    The device tree has it with every kernel, /proc/cpuinfo with the vendor's alone; other
    boards have numbers of their own in that line.
    """
    raspberry = "raspberry" in model.lower() or any("raspberrypi," in c for c in compatible)
    if model and not raspberry:
        return None
    raw = next(
        (data for root in _TREE if (data := facts.data(f"{root}/system/linux,revision"))), b""
    )
    if len(raw) == 4:
        code = int.from_bytes(raw, "big")
    else:
        line = re.search(r"^Revision\s*:\s*([0-9a-fA-F]{4,8})\s*$", _cpuinfo(facts), re.MULTILINE)
        code = int(line.group(1), 16) if line else 0
    return code if code & _NEW_STYLE or code & ~_WARRANTY in _OLD_CODES else None


def _nominal(code: Optional[int]) -> Optional[str]:
    """Give the memory soldered on, of a new-style revision code (bit 23 set), as it is sold."""
    if code is None or not code & _NEW_STYLE:
        return None
    size = (code >> 20) & 7
    return _MEMORY[size] if size < len(_MEMORY) else None


def _cpuinfo(facts: Facts) -> str:
    return facts.text("/proc/cpuinfo") or ""


def _emulated(facts: Facts, model: str, compatible: List[str]) -> None:
    """Guess whether instructions are emulated, and name the signs.

    A virtual machine under KVM runs them on the processor; QEMU without it does
    not, and its times mean nothing.
    """
    signs: List[str] = []
    under_kvm = "linux,kvm" in (_tree(facts, "hypervisor/compatible") or "")
    flags = re.search(r"^flags\s*:.*\bhypervisor\b", _cpuinfo(facts), re.MULTILINE)
    if "linux,dummy-virt" in compatible:
        signs.append("board is QEMU's virt")
    if "qemu" in model.lower() or re.search(r"QEMU (TCG|Virtual)", _cpuinfo(facts)):
        signs.append("model or processor is QEMU's")
    disks = glob.glob("/sys/block/*/device/name") + glob.glob("/sys/block/*/device/vendor")
    signs += [
        f"{path.split('/')[3]} is QEMU's" for path in disks if "QEMU" in (facts.text(path) or "")
    ]
    # on arm64, KVM is not told apart from TCG by the board alone: a machine
    # that is not a hypervisor's guest by its own word is taken for emulated
    accelerated = under_kvm or bool(flags and "QEMU TCG" not in _cpuinfo(facts))
    facts.put("emulated", bool(signs) and not accelerated)
    facts.put("emulated.signs", signs)
    kind = "kvm or other" if accelerated else "qemu" if signs else None
    facts.put("virtualization", kind, "no sign of a virtual machine")


def _cpu(facts: Facts) -> None:
    info = _cpuinfo(facts)
    facts.put("cpu.model", _cpu_model(info), "not in /proc/cpuinfo")
    facts.put("cpu.count", os.cpu_count())
    facts.put("cpu.usable", sorted(os.sched_getaffinity(0)))
    for name in ("online", "isolated", "possible"):
        facts.put(f"cpu.{name}", facts.text(f"{_CPU}/{name}"), f"no {_CPU}/{name}")
    smt = facts.text(f"{_CPU}/smt/active")
    facts.put("cpu.smt", None if smt is None else smt == "1", "the kernel does not say")
    facts.put("numa.online", facts.text("/sys/devices/system/node/online"), "a kernel without NUMA")
    facts.put("cpu.vulnerabilities", _named(facts, f"{_CPU}/vulnerabilities/*"), "not listed")
    _cpufreq(facts)


def _cpu_model(info: str) -> Optional[str]:
    makers = re.findall(r"^CPU implementer\s*:\s*(\S+)", info, re.MULTILINE)
    parts = re.findall(r"^CPU part\s*:\s*(\S+)", info, re.MULTILINE)
    names = [
        _ARM_PARTS.get(int(part, 16), f"part {part}")
        if int(maker, 16) == _ARM_LTD
        else f"implementer {maker} part {part}"
        for maker, part in zip(makers, parts)  # noqa: B905 - Python 3.9
    ]
    if names:
        return " + ".join(dict.fromkeys(names))  # big and little cores
    # a 32-bit process is told `ARMv8 Processor rev 3 (v8l)` there, beside the parts
    model = re.search(r"^model name\s*:\s*(.+)", info, re.MULTILINE)
    return model.group(1).strip() if model else None


def _named(facts: Facts, pattern: str) -> Optional[Dict[str, str]]:
    texts = {os.path.basename(path): facts.text(path) or "" for path in sorted(glob.glob(pattern))}
    return texts or None


def _cpufreq(facts: Facts) -> None:
    # per policy and not per CPU: one write moves all cores of a policy
    policies = sorted(
        (os.path.basename(path) for path in glob.glob(f"{_CPU}/cpufreq/policy*")),
        key=lambda name: int(name[len("policy") :]),
    )
    why = "no cpufreq driver: the clock is not in the kernel's hands"
    facts.put("cpu.policies", policies or None, why)
    for fact, name in (
        ("governor", "scaling_governor"),
        ("governors", "scaling_available_governors"),
        ("driver", "scaling_driver"),
        ("min_khz", "scaling_min_freq"),
        ("max_khz", "scaling_max_freq"),
        ("now_khz", "scaling_cur_freq"),
        ("hardware_max_khz", "cpuinfo_max_freq"),
    ):
        texts: Dict[str, str] = {
            policy: text
            for policy in policies
            if (text := facts.text(f"{_CPU}/cpufreq/{policy}/{name}")) is not None
        }
        if fact.endswith("_khz"):
            numbers = {policy: int(text) for policy, text in texts.items() if text.isdigit()}
            facts.put(f"cpu.{fact}", numbers or None, why)
        else:
            facts.put(f"cpu.{fact}", texts or None, why)


def _thermal(facts: Facts) -> None:
    zones, own = zones_of(facts, glob.glob("/sys/class/thermal/thermal_zone*"))
    facts.put("thermal.zones_c", zones or None, "no thermal zone")
    facts.put("thermal.zone", own, "no thermal zone")
    # both are kept: sysfs has been seen to say 0 where the firmware's tool does not
    tool = which("vcgencmd", os.environ.get("PATH", os.defpath))
    by_tool = _vcgencmd(tool) if tool else None
    facts.put("board.throttled_vcgencmd", by_tool, "no vcgencmd, or it may not be used")
    path = next(
        (path for path in sorted(glob.glob(THROTTLED)) if _bits(facts, path) is not None), ""
    )
    bits, source = (
        (_bits(facts, path), path) if path else (by_tool, tool if by_tool is not None else None)
    )
    why = "no throttle bits of the firmware, in sysfs or by vcgencmd"
    facts.put("board.throttled", bits, why)
    facts.put("board.throttled_source", source, why)


def zones_of(facts: Facts, paths: List[str]) -> Tuple[Dict[str, float], Optional[str]]:
    """Give °C by type of zone, and the zone of the processor; one of several has its number too."""
    kinds = {
        path: facts.text(f"{path}/type") or os.path.basename(path)
        for path in sorted(paths, key=lambda path: (len(path), path))
        if re.fullmatch(r"-?[0-9]{1,9}", facts.text(f"{path}/temp") or "")
    }
    several = [kind for kind in kinds.values() if list(kinds.values()).count(kind) > 1]
    zones = {
        f"{kind} ({os.path.basename(path)})" if kind in several else kind: int(
            facts.text(f"{path}/temp") or 0
        )
        / 1000
        for path, kind in kinds.items()
    }
    own = [path for path, kind in kinds.items() if re.search(r"cpu|soc|x86_pkg", kind)]
    return zones, next(iter([*own, *kinds]), None)


def _bits(facts: Facts, path: str) -> Optional[int]:
    text = facts.text(path) or ""
    return int(text, 16) if re.fullmatch(r"(0x)?[0-9a-fA-F]{1,8}", text.strip()) else None


def _vcgencmd(tool: str) -> Optional[int]:
    from ..sample import throttle

    try:
        return throttle.read(tool)
    except OSError:
        return None


def _memory(facts: Facts) -> None:
    info = dict(re.findall(r"^(\S+):\s+(\d+)", facts.text("/proc/meminfo") or "", re.MULTILINE))
    for fact, key in (
        ("total", "MemTotal"),
        ("available", "MemAvailable"),
        ("free", "MemFree"),
        ("swap_total", "SwapTotal"),
        ("swap_free", "SwapFree"),
        ("hugepage", "Hugepagesize"),
    ):
        value = int(info[key]) * 1024 if key in info else None
        facts.put(f"memory.{fact}_bytes", value, f"no {key} in /proc/meminfo")
    # in the kernel's order, which is that of priority
    facts.put("swap.devices", [{"path": path, **row} for path, row in table().items()])


PARTS = {"board": _board, "cpu": _cpu, "thermal": _thermal, "memory": _memory}
