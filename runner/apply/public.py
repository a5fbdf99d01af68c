"""Which facts go into a record that readers see. Pure.

A record is committed and published: what names a machine's owner or its folders
stays out, and of the kernel's command line only the words that can change a
measurement are kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIVATE: Final = frozenset({"python.path", "cgroup.own", "host.name", "net.interfaces", "init"})
WORDS: Final = re.compile(
    r"(cgroup|systemd\.(unified|legacy)|mitigations|psi|isolcpus|nohz|rcu_nocbs|maxcpus|mem=|"
    r"transparent_hugepage|hugepages|hugepagesz|default_hugepagesz|swapaccount|numa|nosmt|"
    r"cpufreq|cpuidle|idle|clocksource|preempt|zswap|cma|coherent_pool|dwc_otg)"
)
# where a tool lies says nothing that its presence does not
TOOLS: Final = "tools"

ASKED: Final = {"ssh": ["ssh", "-V"], "git": ["git", "--version"]}
"""Tools of the controller that a record names with their versions."""


def recorded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give the facts of one host as a record holds them."""
    public = {key: value for key, value in facts.items() if key not in PRIVATE}
    line = public.get("kernel.cmdline")
    if isinstance(line, str):
        public["kernel.cmdline"] = " ".join(word for word in line.split() if WORDS.match(word))
    tools = public.get(TOOLS)
    if isinstance(tools, dict):
        public[TOOLS] = sorted(name for name, path in tools.items() if path)
    return public
