"""Limits of a cgroup as a user writes them, and their normal texts in v2 form."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from runner.kinds.resources.interface import Frozen
from runner.records.amounts import size
from runner.records.quantities import BYTES, QuantityError, parse, parse_as

_PERIOD_US = 100_000
_CPUS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_DEVICE = re.compile(r"\d+:\d+")
_IO = ("rbps", "wbps", "riops", "wiops")


def _plain(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a limit is a number or `max`, not a YAML boolean")  # noqa: TRY004 - pydantic's word
    return value


def _bytes(value: object) -> str:
    text = str(_plain(value)).strip()
    if text == "max":
        return text
    # A bare integer is bytes, as in the kernel's own files.
    amount = int(text) if text.isdecimal() else parse_as(BYTES, text).bytes
    if amount < 0:
        raise ValueError(f"`{text}` is negative: write max for no limit")
    return str(amount)


def _cpu_max(value: object) -> str:
    text = str(_plain(value)).strip()
    if text.endswith("%"):
        quota = round(parse(text).ratio * _PERIOD_US)
        if quota < 1000:
            raise ValueError(f"`{text}` is below the kernel's least quota, 1%")
        return f"{quota} {_PERIOD_US}"
    quota_text, _, period = text.partition(" ")
    period = period.strip() or str(_PERIOD_US)
    if (quota_text == "max" or quota_text.isdecimal()) and period.isdigit():
        return f"{quota_text} {period}"
    raise ValueError(f"`{text}` is not a CPU limit: write 50%, `50000 100000` (µs) or max")


def _weight(value: object) -> str:
    text = str(_plain(value)).strip()
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise ValueError(f"`{text}` is not a weight: a whole number from 1 to 10000 (default 100)")
    return text


def _cpus(value: object) -> str:
    text = str(_plain(value)).strip()
    if not _CPUS.fullmatch(text):
        raise ValueError(f"`{text}` is not a list: write 0, 0-2 or 0,2-3")
    return text


def _count(value: object) -> str:
    text = str(_plain(value)).strip()
    if text != "max" and not text.isdecimal():
        raise ValueError(f"`{text}` is not a number: write a whole number or max")
    return text


def _io_max(value: object) -> str:
    """Write every setting of one device, as the kernel reads back."""
    device, *settings = str(_plain(value)).split() or [""]
    if not _DEVICE.fullmatch(device):
        raise ValueError(f"`{value}` is not an I/O limit: write `8:0 rbps=1MiB wiops=100`")
    rates = dict.fromkeys(_IO, "max")
    for setting in settings:
        key, equals, amount = setting.partition("=")
        if key not in rates or not equals:
            raise ValueError(f"`{setting}` is none of {', '.join(f'{k}=' for k in _IO)}")
        try:
            rates[key] = _bytes(amount) if key.endswith("bps") else _count(amount)
        except QuantityError as error:
            raise ValueError(str(error)) from error
    return " ".join([device, *(f"{key}={amount}" for key, amount in rates.items())])


class Limits(Frozen):
    """Limits of one group, under their cgroup v2 names."""

    memory_max: Annotated[
        str | None,
        BeforeValidator(_bytes, json_schema_input_type=str | int),
        Field(alias="memory.max", description="hard limit: 32MiB, bytes, or max"),
    ] = None
    memory_high: Annotated[
        str | None,
        BeforeValidator(_bytes, json_schema_input_type=str | int),
        Field(alias="memory.high", description="throttling limit; cgroup v2 only"),
    ] = None
    memory_swap_max: Annotated[
        str | None,
        BeforeValidator(_bytes, json_schema_input_type=str | int),
        Field(alias="memory.swap.max", description="swap beside memory.max; 0 for none"),
    ] = None
    cpu_max: Annotated[
        str | None,
        BeforeValidator(_cpu_max, json_schema_input_type=str | int),
        Field(alias="cpu.max", description="share of one CPU (50%), or `quota period` in µs"),
    ] = None
    cpu_weight: Annotated[
        str | None,
        BeforeValidator(_weight, json_schema_input_type=str | int),
        Field(alias="cpu.weight", description="1 to 10000, default 100"),
    ] = None
    cpuset_cpus: Annotated[
        str | None,
        BeforeValidator(_cpus, json_schema_input_type=str | int),
        Field(alias="cpuset.cpus", description="CPUs that may be used: 0-2"),
    ] = None
    cpuset_mems: Annotated[
        str | None,
        BeforeValidator(_cpus, json_schema_input_type=str | int),
        Field(alias="cpuset.mems", description="memory nodes that may be used: 0"),
    ] = None
    pids_max: Annotated[
        str | None,
        BeforeValidator(_count, json_schema_input_type=str | int),
        Field(alias="pids.max", description="processes and threads, or max"),
    ] = None
    io_max: Annotated[
        str | None,
        BeforeValidator(_io_max, json_schema_input_type=str),
        Field(alias="io.max", description="`8:0 rbps=1MiB wiops=100`, one device"),
    ] = None

    def knobs(self) -> dict[str, str]:
        """Give the limits that are set, by v2 name, as the kernel wants them."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def shown(self) -> dict[str, str]:
        """Give the limits that are set for a reader: sizes in their unit."""
        return {
            name: size(int(text)) if name in SIZES and text.isdecimal() else text
            for name, text in self.knobs().items()
        }


SIZES = frozenset(
    str(field.alias)
    for field in Limits.model_fields.values()
    if any(isinstance(told, BeforeValidator) and told.func is _bytes for told in field.metadata)
)
"""Limits that are bytes, by their v2 names."""
