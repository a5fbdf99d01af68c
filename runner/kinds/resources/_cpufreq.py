"""What the two cpufreq kinds share: which policies a host has.

cpufreq is set per policy, a group of CPUs with one clock, and not per CPU.
Source: Documentation/admin-guide/pm/cpufreq.rst.
"""

from __future__ import annotations

from runner.kinds.resources.interface import Facts, Skipped, Unknown, Values

ROOT = "/sys/devices/system/cpu/cpufreq"
PROBED = tuple(f"policy{n}" for n in range(16))
"""Read without knowing any: boards number a policy by its first CPU."""

NONE = Skipped("the host has no cpufreq (a virtual machine, or a kernel without a driver)")


def policies(facts: Facts, values: Values, kind: str, file: str) -> list[str] | Skipped | Unknown:
    """Name the policies, from the facts or else from what the probe could read."""
    known = facts.get("cpu.policies")
    if known is None and "cpu.policies" not in facts:
        ids = {name: f"{kind}:{name}/{file}" for name in PROBED}
        if not any(this in values for this in ids.values()):
            return Unknown("cpu.policies")
        known = [name for name, this in ids.items() if values.get(this) is not None]
    names = [p if str(p).startswith("policy") else f"policy{p}" for p in known or ()]
    return sorted(names, key=lambda name: int(name.removeprefix("policy"))) or NONE
