"""Power of a Raspberry Pi 5 by its PMIC: `vcgencmd pmic_read_adc`.

The PMIC measures voltage and current of each of its outputs. What the USB ports and the fan draw
comes from the 5 V input, of which it measures the voltage alone: it is not in the sum.
Source: raspi-utils, vcgencmd; documentation of the Raspberry Pi 5, "Measuring power".
"""

from __future__ import annotations

import re

from . import vcgencmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional

_LINE = re.compile(
    r"^\s*(\w+)_([AV]) (?:current|volt)\(\d+\)=(\d+(?:\.\d+)?)[AV]\s*$", re.MULTILINE
)


def read(tool: str) -> Optional[float]:
    """Give the watts of all outputs, or None where the tool says none; OSError as it starts."""
    text = vcgencmd.ask(tool, "pmic_read_adc")
    return None if text is None else watts(text)


def watts(text: str) -> Optional[float]:
    """Add up current times voltage of every output that has both."""
    rails: Dict[str, Dict[str, float]] = {"A": {}, "V": {}}
    for name, kind, value in _LINE.findall(text):
        rails[kind][name] = float(value)
    both = [name for name in rails["A"] if name in rails["V"]]
    return sum(rails["A"][name] * rails["V"][name] for name in both) if both else None
