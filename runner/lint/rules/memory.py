"""Rules about memory: limits that do not limit, numbers that are not what they seem."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.lint.model import Rule
from runner.lint.subject import base, known, numbers, place, source_of
from runner.records.quantities import BYTES, COUNT, Quantity, unit_factor
from runner.spec.health import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject, Variant
    from runner.spec.claims import Claim

    Hits = Iterator[tuple[str, str]]

_TASKS = re.compile(r"""echo\s+["']?([A-Za-z][\w.-]*)["']?\s*>+\s*\S*/(?:tasks|cgroup\.procs)\b""")
_ROOT_LIMIT = re.compile(
    r">+\s*/sys/fs/cgroup/(?:memory/memory\.limit_in_bytes|memory\.(?:max|high))\b"
)
_LIMIT = re.compile(r"echo\s+[\"']?(\d+)[\"']?\s*>+\s*\S*/memory\.(?:limit_in_bytes|max)\b")
_ULIMIT = re.compile(r"ulimit\s+(?:-[A-Za-z]+\s+)*-[A-Za-z]*v\s*(\d+)")
_HEAP_FLAG = re.compile(r"-Xmx(\d+)([kmgKMG])|-XX:MaxDirectMemorySize=(\d+)([kmgKMG])")
_DIVIDED = re.compile(r"1024\s*/\s*1024(?!.*MiB).*\bMB\b")
_THP = re.compile(r"\bthp\b|transparent|透明大页|\bAnonHuge", re.IGNORECASE)
_GIB = 2**30
_POWER = {"k": 2**10, "m": 2**20, "g": 2**30}


def _limit(variant: Variant) -> float | None:
    """Bytes that the workload is held to, by its group or by a line of its shell."""
    found = variant.knobs.get("memory.max")
    if found is not None:
        return known(found)  # none of `max`
    written = _LIMIT.search(" ".join(variant.argv))
    return float(written[1]) if written else None


def _tasks(subject: Subject) -> Hits:
    for where, text in subject.texts():
        named = _TASKS.search(text)
        if named:
            yield where, f"`{named[0]}` writes a name where the kernel takes a pid"
        if _ROOT_LIMIT.search(text):
            yield where, "a limit is written on the root group, which has none"


def _ulimit(subject: Subject) -> Hits:
    for where, text in subject.texts():
        for found in _ULIMIT.finditer(text):
            size = int(found[1]) * 1024
            what = f"`{found[0]}` is {size / _GIB:.3g} GiB of address space, not {found[1]} bytes"
            if size < _GIB:
                what = f"`{found[0]}`: a Go program cannot start below about 1 GiB"
            yield where, what
    for variant in subject.variants:
        limit = variant.workload.limits.address_space if variant.workload else None
        if limit is not None and limit.numbers[0] < _GIB and variant.build is not None:
            yield variant.path("workload.limits.as"), "a Go program cannot start below about 1 GiB"


def _rss(subject: Subject) -> Hits:
    limits = {limit for variant in subject.variants if (limit := _limit(variant)) is not None}
    if not limits:
        return
    for index, rule in enumerate(subject.experiment.healthy):
        other = rule.value
        held = isinstance(other, Quantity) and float(other.exact) in limits
        named = isinstance(other, Reference) and other.name == "cgroup.limit"
        if rule.subject.startswith("procfs.rss") and (held or named):
            yield f"healthy[{index}]", f"`{rule}` holds RSS against the cgroup's limit"
    resident = {
        name for name, m in subject.metrics.items() if source_of(m).startswith("procfs.rss")
    }
    for claim in subject.claims:
        for _, number in numbers(claim):
            value = _bytes(subject, claim, number.value)
            if claim.metric not in resident or value is None:
                continue
            if any(abs(value - limit) <= 0.1 * limit for limit in limits):
                yield place(claim), "RSS is compared with the cgroup's limit"


def _bytes(subject: Subject, claim: Claim, value: Quantity | None) -> float | None:
    """Give a published number in bytes where it is of bytes; a bare one is in the claim's unit."""
    if value is None or value.dimension == BYTES:
        return base(value)
    metric = subject.metrics.get(claim.metric or "")
    unit = claim.unit or (metric.unit if metric else None) or ""
    dimension, factor = unit_factor(unit)
    if value.dimension != COUNT or dimension != BYTES:
        return None
    return float(value.exact * factor)


def _board(subject: Subject) -> Hits:
    total = known(subject.facts.get("memory.total_bytes") or subject.facts.get("board.memory"))
    said = (claim.declared.get("board.memory") for claim in subject.claims)
    size = total if total is not None else next((known(one) for one in said if one), None)
    if size is None:
        return
    for variant in subject.variants:
        limit = _limit(variant)
        if limit is not None and limit > size:
            yield variant.path("workload.cgroup.memory.max"), "is above the board's memory"
    for where, text in subject.texts():
        asked = sum(
            int(m[1] or m[3]) * _POWER[(m[2] or m[4]).lower()] for m in _HEAP_FLAG.finditer(text)
        )
        if asked >= size:
            yield where, f"asks for {asked / _GIB:.3g} GiB of a board with {size / _GIB:.3g} GiB"
    for claim in subject.claims:
        for level, number in numbers(claim):
            value = _bytes(subject, claim, number.value)
            if value is not None and value > size:
                what = f"{value / 1e9:.3g} GB do not fit a board with {size / 1e9:.3g} GB"
                yield place(claim, level=level), what


def _hugepages(variant: Variant) -> bool:
    declared = variant.system.hugepages
    pages = 0 if declared is None else declared.root
    pooled = any(pages.values()) if isinstance(pages, dict) else bool(pages)
    return pooled or bool(known(variant.sysctl("vm.nr_hugepages")))


def _not_thp(subject: Subject) -> Hits:
    if any(variant.system.transparent_hugepage is not None for variant in subject.variants):
        return
    huge = any(_hugepages(v) for v in subject.variants) or any(
        "MAP_HUGETLB" in t for _, t in subject.texts()
    )
    levels = [level for factor in subject.experiment.factors.values() for level in factor.levels]
    if not huge or any(level.lower() == "thp" for level in levels):
        return
    for claim in subject.claims:
        if _THP.search(f"{claim.quote} {claim.expect or ''}"):
            what = "speaks of transparent huge pages, and the spec sets up hugetlb pages"
            yield place(claim), what


def _escapes(subject: Subject) -> Hits:
    for variant in subject.variants:
        if _limit(variant) is not None and _hugepages(variant):
            where = variant.path("workload.cgroup.memory.max")
            yield where, "does not count the hugetlb pages that the spec sets aside"


def _swappiness(subject: Subject) -> Hits:
    for variant in subject.variants:
        if variant.sysctl("vm.swappiness") is None:
            continue
        declared = variant.system.swap
        swap = None if declared is None else declared.root
        present = known(subject.facts.get("memory.swap_total_bytes"))
        where = variant.path("system.sysctl.vm.swappiness")
        if swap == "off" or (swap is None and present == 0):
            yield where, "has no effect: the host has no swap"
        elif known(variant.knobs.get("memory.swap.max")) == 0:
            yield where, "has no effect: the workload's group may not swap"
        elif swap is None and present is None:
            yield where, "has no effect without swap, and nothing is said of swap"


def _units(subject: Subject) -> Hits:
    for where, text in (*subject.texts(), *subject.sources.items()):
        for line in text.splitlines():
            if _DIVIDED.search(line.replace("\\", "")):
                yield where, f"divides by 1024² and says MB: `{line.strip()[:80]}`"
    limits = {_limit(variant) for variant in subject.variants}
    for claim in subject.claims:
        for _, number in numbers(claim):
            value = _bytes(subject, claim, number.value)
            bare = None if value is None else value / 1e6
            if bare is not None and bare == int(bare) and bare * 2**20 in limits:
                yield place(claim), f"{bare:g} MB are not the limit of {bare:g} MiB"


def _cache(subject: Subject) -> Hits:
    for variant in subject.variants:
        argv = variant.argv
        if _limit(variant) is not None and argv and "{binary}" not in argv:
            yield (
                variant.path("workload.argv"),
                ("is not {binary}: its file is first read inside the group and charged to it"),
            )


RULES = (
    Rule(
        "cgroup-tasks-name", "error",
        "A process is put into a cgroup by name, or a limit is set on the root group.",
        "`tasks` and `cgroup.procs` take a pid; the write fails, and the server runs unlimited. "
        "The root group cannot be limited.",
        "Say it in the spec: `workload: {cgroup: {memory.max: 32MiB}}`. The process is in its own "
        "group before it starts.",
        "Linux Documentation/admin-guide/cgroup-v1/cgroups.rst §2.2, cgroup-v2.rst “Memory”",
        _tasks,
    ),
    Rule(
        "ulimit-v-kib", "error",
        "`ulimit -v` counts KiB, and limits address space instead of memory.",
        "33554432 is 32 GiB. Go reserves address space for its arenas and cannot start under a "
        "limit that is anywhere near its real use.",
        "Limit memory with `workload: {cgroup: {memory.max: 32MiB}}`.",
        "POSIX.1-2017 ulimit; setrlimit(2) RLIMIT_AS; Go runtime/malloc.go (arena hints)",
        _ulimit,
    ),
    Rule(
        "rss-is-not-memcg", "warning",
        "RSS is compared with the limit of a cgroup.",
        "The group is charged for page cache, kernel memory and sockets, and not for pages that "
        "another group touched first: RSS of 34 MiB under a limit of 32 MiB is possible.",
        "Compare `cgroup.peak` or `cgroup.anon` with the limit and show RSS beside it.",
        "Linux Documentation/admin-guide/cgroup-v1/memory.rst §2.2, §2.3, §5.5",
        _rss,
    ),
    Rule(
        "memory-exceeds-board", "error",
        "More memory is asked for, or claimed, than the board has.",
        "A heap of 5.1 GB cannot have been measured on a board with 4 GB.",
        "Correct the limit, or note the contradiction and mark the claim `testable: false`.",
        "The quantities themselves",
        _board,
    ),
    Rule(
        "hugetlb-is-not-thp", "error",
        "Pages of hugetlb stand in for transparent huge pages.",
        "MAP_HUGETLB takes pages from a pool set aside; transparent huge pages come by alignment, "
        "madvise and khugepaged. Neither says anything of the other.",
        "Set `transparent_hugepage:` for one, `hugepages:` for the other, as levels of a factor.",
        "Linux Documentation/admin-guide/mm/hugetlbpage.rst and transhuge.rst",
        _not_thp,
    ),
    Rule(
        "hugetlb-escapes-memcg", "warning",
        "A memory limit is set on a workload with hugetlb pages.",
        "They are charged to the hugetlb controller only: the workload may exceed its limit.",
        "Count them beside the usage of the group: `procfs.hugetlb`.",
        "Linux Documentation/admin-guide/cgroup-v2.rst, “HugeTLB”",
        _escapes,
    ),
    Rule(
        "swappiness-without-swap", "note",
        "vm.swappiness is set and there is no swap, or nothing is said of it.",
        "It weighs swapping against dropping page cache; without swap it decides nothing.",
        "Leave it out, or say what swap there is: `system: {swap: …}`.",
        "Linux Documentation/admin-guide/sysctl/vm.rst, “swappiness”; mm/vmscan.c get_scan_count",
        _swappiness,
    ),
    Rule(
        "unit-mb-mib", "warning",
        "Values in MiB carry the label MB.",
        "They are 4.9 % apart, which is more than many published differences.",
        "Write MiB for 2^20 bytes and MB for 10^6.",
        "IEC 80000-13; NIST SP 811 §4.3",
        _units,
    ),
    Rule(
        "page-cache-charged", "warning",
        "The program's file is first read inside the memory cgroup.",
        "Page cache is charged to the group that reads it first: the binary's pages then fight the "
        "heap for the limit, with reclaim by the million.",
        "Start `{binary}` itself: it is read once from outside the group before the trial.",
        "Linux Documentation/admin-guide/cgroup-v1/memory.rst §2.2 (first touch)",
        _cache,
    ),
)  # fmt: skip
