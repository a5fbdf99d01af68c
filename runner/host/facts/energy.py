"""Where a host says what it draws: energy counters, power sensors, a Pi 5's PMIC.

Sources: Documentation/power/powercap/powercap.rst (energy_uj), Documentation/hwmon/sysfs-interface
(energy[1-*]_input in µJ, power[1-*]_average and _input in µW), `vcgencmd pmic_read_adc`.
"""

from __future__ import annotations

import glob
import os
import re

from ..which import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

    from .builder import Facts

POWERCAP = "/sys/class/powercap"
HWMON = "/sys/class/hwmon"
NOTHING = (
    "no counter under /sys/class/powercap, no energy or power sensor under /sys/class/hwmon, "
    "no PMIC that vcgencmd reads"
)


def gather(facts: Facts) -> None:
    """Put what is there, the surest first: counters lose nothing between two samples."""
    zones = _packages(facts)
    meters = [] if zones else _hwmon(facts, r"energy\d+_input")
    sensors = [] if zones or meters else _sensors(facts)
    pmic = None if zones or meters or sensors else _pmic()
    facts.put("energy.counters", zones or meters or None, NOTHING)
    facts.put("energy.sensors", sensors or None, NOTHING)
    facts.put("energy.pmic", pmic, NOTHING)


def _packages(facts: Facts) -> List[str]:
    """Give the counters of whole packages: the zones inside of them are counted in them."""
    zones = sorted(glob.glob(f"{POWERCAP}/*:[0-9]*"))
    whole = [zone for zone in zones if re.fullmatch(r"[\w-]+:\d+", os.path.basename(zone))]
    kinds = {zone: facts.text(f"{zone}/name") or "" for zone in whole}
    platform = [zone for zone in whole if kinds[zone] == "psys"]
    # `psys` is the whole machine; intel-rapl-mmio counts the same packages once more
    packages = platform or [
        zone
        for zone in whole
        if kinds[zone].startswith("package") and "-mmio" not in os.path.basename(zone)
    ]
    paths = [f"{zone}/energy_uj" for zone in packages]
    return [path for path in paths if (facts.text(path) or "").isdigit()]


def _hwmon(facts: Facts, pattern: str) -> List[str]:
    """Give the readable files of sensors whose name matches, in order."""
    paths = [
        path
        for path in sorted(glob.glob(f"{HWMON}/hwmon*/*"))
        if re.fullmatch(pattern, os.path.basename(path))
    ]
    return [path for path in paths if (facts.text(path) or "").isdigit()]


def _sensors(facts: Facts) -> List[str]:
    """Give power sensors: of one that has an average that, else what it reads at the moment."""
    averages = _hwmon(facts, r"power\d+_average")
    inputs = [
        path
        for path in _hwmon(facts, r"power\d+_input")
        if path.replace("_input", "_average") not in averages
    ]
    return averages + inputs


def _pmic() -> Optional[str]:
    from ..sample import pmic

    tool = which("vcgencmd", os.environ.get("PATH", os.defpath))
    try:
        return tool if tool and pmic.read(tool) is not None else None
    except OSError:
        return None
