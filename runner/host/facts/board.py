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
    from typing import Any, Dict, List, Optional

    from .builder import Found

_TREE = ("/proc/device-tree", "/sys/firmware/devicetree/base")
_ARM_PARTS = {
    0xB76: "ARM1176", 0xC07: "Cortex-A7", 0xD03: "Cortex-A53", 0xD04: "Cortex-A35",
    0xD05: "Cortex-A55", 0xD07: "Cortex-A57", 0xD08: "Cortex-A72", 0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD0C: "Neoverse-N1", 0xD40: "Neoverse-V1",
    0xD41: "Cortex-A78", 0xD49: "Neoverse-N2", 0xD4F: "Neoverse-V2",
}  # fmt: skip
_ARM_LTD = 0x41
_CPU = "/sys/devices/system/cpu"
THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"


def _tree(found: Found, name: str) -> Optional[str]:
    return next((text for root in _TREE if (text := found.text(f"{root}/{name}"))), None)


def _board(found: Found) -> None:
    model = _tree(found, "model")
    if model is None:
        product = found.text("/sys/class/dmi/id/product_name")
        vendor = found.text("/sys/class/dmi/id/sys_vendor")
        model = " ".join(word for word in (vendor, product) if word) or None
    found.put("board.model", model, "neither a device tree nor DMI names a model")
    compatible = (_tree(found, "compatible") or "").split("\0")
    found.put("board.compatible", [c for c in compatible if c] or None, "no device tree")
    revision = re.search(r"^Revision\s*:\s*([0-9a-f]+)", _cpuinfo(found), re.MULTILINE)
    code = int(revision.group(1), 16) if revision else None
    found.put("board.revision", code and f"{code:x}", "not a Raspberry Pi")
    found.put("board.memory", _nominal(code), "no revision code that says how much was built in")
    _emulated(found, model or "", compatible)


def _nominal(code: Optional[int]) -> Optional[str]:
    """Give the memory soldered on, of a new-style revision code (bit 23 set), as it is sold."""
    if code is None or not code & (1 << 23):
        return None
    megabytes = 256 << ((code >> 20) & 7)
    return f"{megabytes // 1024}GB" if megabytes >= 1024 else f"{megabytes}MB"


def _cpuinfo(found: Found) -> str:
    return found.text("/proc/cpuinfo") or ""


def _emulated(found: Found, model: str, compatible: List[str]) -> None:
    """Guess whether instructions are emulated, and name the signs.

    A virtual machine under KVM runs them on the processor; QEMU without it does
    not, and its times mean nothing.
    """
    signs: List[str] = []
    under_kvm = "linux,kvm" in (_tree(found, "hypervisor/compatible") or "")
    flags = re.search(r"^flags\s*:.*\bhypervisor\b", _cpuinfo(found), re.MULTILINE)
    if "linux,dummy-virt" in compatible:
        signs.append("board is QEMU's virt")
    if "qemu" in model.lower() or re.search(r"QEMU (TCG|Virtual)", _cpuinfo(found)):
        signs.append("model or processor is QEMU's")
    disks = glob.glob("/sys/block/*/device/name") + glob.glob("/sys/block/*/device/vendor")
    signs += [
        f"{path.split('/')[3]} is QEMU's" for path in disks if "QEMU" in (found.text(path) or "")
    ]
    # on arm64, KVM is not told apart from TCG by the board alone: a machine
    # that is no hypervisor's guest by its own word is taken for emulated
    accelerated = under_kvm or bool(flags and "QEMU TCG" not in _cpuinfo(found))
    found.put("emulated", bool(signs) and not accelerated)
    found.put("emulated.signs", signs)
    kind = "kvm or other" if accelerated else "qemu" if signs else None
    found.put("virtualization", kind, "no sign of a virtual machine")


def _cpu(found: Found) -> None:
    info = _cpuinfo(found)
    found.put("cpu.model", _cpu_model(info), "not in /proc/cpuinfo")
    found.put("cpu.count", os.cpu_count())
    found.put("cpu.usable", sorted(os.sched_getaffinity(0)))
    for name in ("online", "isolated", "possible"):
        found.put(f"cpu.{name}", found.text(f"{_CPU}/{name}"), f"no {_CPU}/{name}")
    smt = found.text(f"{_CPU}/smt/active")
    found.put("cpu.smt", None if smt is None else smt == "1", "the kernel does not say")
    found.put("numa.online", found.text("/sys/devices/system/node/online"), "a kernel without NUMA")
    found.put("cpu.vulnerabilities", _named(found, f"{_CPU}/vulnerabilities/*"), "not listed")
    _cpufreq(found)


def _cpu_model(info: str) -> Optional[str]:
    found = re.search(r"^model name\s*:\s*(.+)", info, re.MULTILINE)
    if found:
        return found.group(1).strip()
    makers = re.findall(r"^CPU implementer\s*:\s*(\S+)", info, re.MULTILINE)
    parts = re.findall(r"^CPU part\s*:\s*(\S+)", info, re.MULTILINE)
    names = [
        _ARM_PARTS.get(int(part, 16), f"part {part}")
        if int(maker, 16) == _ARM_LTD
        else f"implementer {maker} part {part}"
        for maker, part in zip(makers, parts)  # noqa: B905 - Python 3.9
    ]
    return " + ".join(dict.fromkeys(names)) or None  # big and little cores


def _named(found: Found, pattern: str) -> Optional[Dict[str, str]]:
    texts = {os.path.basename(path): found.text(path) or "" for path in sorted(glob.glob(pattern))}
    return texts or None


def _cpufreq(found: Found) -> None:
    # per policy and not per CPU: one write moves all cores of a policy
    policies = sorted(
        (os.path.basename(path) for path in glob.glob(f"{_CPU}/cpufreq/policy*")),
        key=lambda name: int(name[len("policy") :]),
    )
    why = "no cpufreq driver: the clock is not in the kernel's hands"
    found.put("cpu.policies", policies or None, why)
    for fact, name in (
        ("governor", "scaling_governor"),
        ("governors", "scaling_available_governors"),
        ("driver", "scaling_driver"),
        ("min_khz", "scaling_min_freq"),
        ("max_khz", "scaling_max_freq"),
        ("now_khz", "scaling_cur_freq"),
        ("hardware_max_khz", "cpuinfo_max_freq"),
    ):
        texts: Dict[str, Any] = {
            policy: text
            for policy in policies
            if (text := found.text(f"{_CPU}/cpufreq/{policy}/{name}")) is not None
        }
        if fact.endswith("_khz"):
            texts = {policy: int(text) for policy, text in texts.items() if text.isdigit()}
        found.put(f"cpu.{fact}", texts or None, why)


def _thermal(found: Found) -> None:
    zones: Dict[str, float] = {}
    for path in sorted(glob.glob("/sys/class/thermal/thermal_zone*")):
        text = found.text(f"{path}/temp")
        if text and re.fullmatch(r"-?\d+", text):
            zones[found.text(f"{path}/type") or os.path.basename(path)] = int(text) / 1000
    found.put("thermal.zones_c", zones or None, "no thermal zone")
    text = found.text(THROTTLED)
    found.put(
        "board.throttled", int(text, 16) if text else None, "no throttle bits of the firmware"
    )
    # both are kept: sysfs has been seen to say 0 where the firmware's tool does not
    tool = which("vcgencmd", os.environ.get("PATH", os.defpath))
    said = _vcgencmd(tool) if tool else None
    found.put("board.throttled_vcgencmd", said, "no vcgencmd, or it may not be used")


def _vcgencmd(tool: str) -> Optional[int]:
    import subprocess

    try:
        done = subprocess.run([tool, "get_throttled"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(rb"throttled=(0x[0-9a-f]+)", done.stdout)
    return int(said.group(1), 16) if said else None


def _memory(found: Found) -> None:
    info = dict(re.findall(r"^(\S+):\s+(\d+)", found.text("/proc/meminfo") or "", re.MULTILINE))
    for fact, key in (
        ("total", "MemTotal"),
        ("available", "MemAvailable"),
        ("free", "MemFree"),
        ("swap_total", "SwapTotal"),
        ("swap_free", "SwapFree"),
        ("hugepage", "Hugepagesize"),
    ):
        value = int(info[key]) * 1024 if key in info else None
        found.put(f"memory.{fact}_bytes", value, f"no {key} in /proc/meminfo")
    # in the kernel's order, which is that of priority
    found.put("swap.devices", [{"path": path, **row} for path, row in table().items()])


PARTS = {"board": _board, "cpu": _cpu, "thermal": _thermal, "memory": _memory}
