"""Facts of the hosts, the ones that decide a comparison first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runner.records.facts import emulated as is_emulated
from runner.records.manifest import Times
from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records.manifest import Manifest
    from runner.records.plain import Json

FIRST: Final = (
    *("emulated", "board.model", "board.revision", "virtualization", "arch", "cpu.model"),
    *("cpu.count", "cpu.governor", "cpu.max_khz", "memory.total_bytes", "memory.swap_total_bytes"),
    *("swap.devices", "os.pretty_name", "kernel.release", "cgroup.version", "cgroup.memory", "thp"),
    *("aslr", "limits.nofile_hard", "sysctl.vm.swappiness", "sysctl.net.core.somaxconn", "load.1m"),
)
"""What decides a comparison, in the order a reader asks; shown also where it is absent."""
MOST: Final = 24
"""Facts that are shown all at once; of more, those of FIRST, and the rest is folded away."""
_CELL = 160


def emulated(facts: Mapping[str, Mapping[str, Json]]) -> list[str]:
    """Name the hosts that are emulated."""
    return [host for host, own in sorted(facts.items()) if is_emulated(own)]


def host(facts: Mapping[str, Json]) -> str:
    """Name the kind of a host by what decides a comparison: `aarch64, cgroup v2, emulated`."""
    group, imitated = facts.get("cgroup.version"), is_emulated(facts)
    # what an emulated machine calls itself is not a board's name
    model = None if imitated else facts.get("board.model")
    parts = [
        str(model or facts.get("arch") or ""),
        f"cgroup v{group}" if group else "",
        "emulated" if imitated else "",
    ]
    return ", ".join(part for part in parts if part)


NEVER: Final = Times()


def tables(
    facts: Mapping[str, Any], times: Mapping[str, Times] | None = None
) -> dict[str, Md | None]:
    """Give the table of the main facts, of the rest, and what is absent with its reason.

    `facts` are those in force during the trials; `times` says by host what was
    otherwise before, with single treatments, and after the restore.
    """
    times = times or {}
    hosts = sorted(host for host, own in facts.items() if isinstance(own, dict))
    names = sorted({name for host in hosts for name in facts[host] if name != "absent"})
    known = [n for n in names if any(facts[host].get(n) is not None for host in hosts)]
    changed = {n for host in hosts for n in times.get(host, NEVER).before}
    first = known if len(known) <= MOST else [n for n in FIRST if n in names]
    first += sorted(changed.intersection(names) - set(first))
    rest = [n for n in known if n not in first]
    return {
        "first": _table(facts, hosts, first, times) if first else None,
        "rest": _table(facts, hosts, rest, times) if rest else None,
        "absent": _absent(facts, hosts),
        "treatments": _by_treatment(hosts, times),
        "after": _after(hosts, times),
    }


def _table(
    facts: Mapping[str, Any], hosts: list[str], names: list[str], times: Mapping[str, Times]
) -> Md:
    rows = []
    for name in names:
        shown = [_in_time(name, facts[host], times.get(host, NEVER)) for host in hosts]
        rows.append([code(name), *(escape(text, _CELL) for text in shown)])
    return markdown.table(["fact", *hosts], rows, "l" * (len(hosts) + 1))


def _in_time(name: str, during: Mapping[str, Any], times: Times) -> str:
    """Show a fact during the trials, and as it was found where it was otherwise."""
    before = times.before
    earlier = f" (before: {_shown(name, before[name])})" if name in before else ""
    return _shown(name, during.get(name)) + earlier


def _by_treatment(hosts: list[str], times: Mapping[str, Times]) -> Md | None:
    """Give the facts that treatments differ in; None where they differ in none."""
    rows = [
        [code(treatment), host, code(name), escape(_shown(name, value), _CELL)]
        for host in hosts
        for treatment, own in times.get(host, NEVER).treatments.items()
        for name, value in own.items()
    ]
    return markdown.table(["treatment", "host", "fact", "during"], rows, "llll") if rows else None


def _after(hosts: list[str], times: Mapping[str, Times]) -> Md | None:
    """Say what is not as it was found; None where all is, or nobody looked."""
    left = [
        [host, code(name), escape(_shown(name, value), _CELL)]
        for host in hosts
        for name, value in (times.get(host, NEVER).after or {}).items()
    ]
    return markdown.table(["host", "not as found", "after"], left, "lll") if left else None


def _shown(name: str, value: object) -> str:
    return "–" if value is None else words.fact(name, value)


def _absent(facts: Mapping[str, Any], hosts: list[str]) -> Md | None:
    rows = [
        [code(name), host, reason]
        for host in hosts
        for name, reason in sorted((facts[host].get("absent") or {}).items())
    ]
    return markdown.table(["absent", "host", "why"], rows, "lll") if rows else None


def tools(manifest: Manifest) -> Md | None:
    """Give the versions of the tools; one that cannot be said has its reason."""
    rows = [
        [code(name), tool.version or f"– ({tool.why or 'not said'})"]
        for name, tool in sorted(manifest.tools.items())
    ]
    return markdown.table(["tool", "version"], rows, "ll") if rows else None


def builds(manifest: Manifest) -> Md | None:
    """Give what was built: the command, its toolchain, size and hash."""
    rows = [
        [
            name,
            code(build.command or "–", 300),
            build.toolchain or "–",
            units.size(build.size),
            code(build.sha256[:12]) or "–",
        ]
        for name, build in sorted(manifest.builds.items())
    ]
    head = ["build", "command", "Go", "size", "sha256"]
    return markdown.table(head, rows, "lllrl") if rows else None
