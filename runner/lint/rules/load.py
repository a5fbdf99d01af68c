"""Rules about load: what the generator does, when a step is healthy, how long it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.lint.model import SIGPLAN, Rule
from runner.lint.subject import base, known, numbers, place, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject

    Hits = Iterator[tuple[str, str]]

_WRK = re.compile(r"\bwrk2?\b(?=.*\s-t\s*(\d+))(?=.*\s-c\s*(\d+))")
_LATENCY = ("load.latency", "load.raw_latency")
_TELLING = (
    "load.error_ratio", "load.good_rps", "load.rps", "load.requests", "load.established",
    "load.errors.status", "load.errors.connect", "load.errors.read", "workload.alive",
    "load.latency", "load.raw_latency",
)  # fmt: skip
_KERNEL_NOFILE = 4096
"""Hard limit of a kernel that nobody has told otherwise: INR_OPEN_MAX."""


def _floor(subject: Subject) -> Hits:
    for where, text in subject.texts():
        found = _WRK.search(text)
        if found and int(found[2]) % int(found[1]):
            yield where, _floored(int(found[1]), int(found[2]))
    load = subject.base.load
    if load is None or load.generator != "wrk":
        return
    threads = load.threads
    for where, level in subject.levels():
        if level > threads and level % threads:
            yield where, f"{_floored(threads, level)}; here fewer threads open them all"
    for where, low, high in _claimed(subject):
        lost = [c for c in range(low, high + 1) if c % threads]
        if lost and threads > 1:
            yield where, f"{lost[0]} cannot be opened: {_floored(threads, lost[0])}"
    said = {rule.text for rule in subject.experiment.healthy}
    varied = subject.searches_connections and threads > 1
    if varied and "load.established == load.connections" not in said:
        yield (
            "load.threads",
            f"levels that {threads} does not divide are loaded by fewer threads than others",
        )


def _claimed(subject: Subject) -> Iterator[tuple[str, int, int]]:
    """Give the ends of every published number of connections."""
    for claim in subject.claims:
        if claim.unit != "connections" or subject.experiment.search is not None:
            continue
        for _, number in numbers(claim):
            low, high = base(number.low), base(number.high)
            if low is not None and high is not None:
                yield place(claim), int(low), int(high)


def _floored(threads: int, level: int) -> str:
    return f"wrk -t{threads} -c{level} opens {level // threads * threads} connections"


def _no_rule(subject: Subject) -> Hits:
    load = subject.base.load
    if load is not None and load.generator != "none" and not subject.experiment.healthy:
        yield "healthy", "there is no rule: every step passes, a dead server's too"


def _timeouts(subject: Subject) -> Hits:
    rules = [rule.text for rule in subject.experiment.healthy]
    if not rules or subject.base.load is None:
        return
    if any("timeout" in rule for rule in rules) and not any(
        word in rule for rule in rules for word in _TELLING
    ):
        yield "healthy", "looks at timeouts, and at nothing that a dead server fails"


def _single(subject: Subject) -> Hits:
    if subject.experiment.search is not None or subject.base.load is None:
        return
    levels = {level for _, level in subject.levels()}
    counts = [
        name
        for name, metric in subject.metrics.items()
        if source_of(metric).startswith(
            ("load.established", "load.connections", "load.max_established", "search.")
        )
    ]
    for claim in subject.claims:
        about = claim.metric in counts or claim.unit == "connections"
        if about and claim.published is not None and len(levels) < 3:
            said = f"{len(levels)} level" + ("s" if len(levels) != 1 else "")
            yield place(claim), f"a maximum cannot be located with {said} of load"


def _corrected(subject: Subject) -> Hits:
    load = subject.base.load
    if load is None or load.generator != "wrk":
        return
    for where, source in subject.mentions("load.latency"):
        yield where, f"{source} is wrk's, which back-fills requests that it did not send"


def _closed(subject: Subject) -> Hits:
    load = subject.base.load
    if load is None or load.generator not in ("wrk", "h2load"):
        return
    named = [name for name, m in subject.metrics.items() if source_of(m).startswith(_LATENCY)]
    if named:
        yield f"metrics.{named[0]}", "latency of a closed loop: a slow server is asked less often"


def _shares(subject: Subject) -> Hits:
    load, workload = subject.base.load, subject.base.workload
    if load is None or load.generator == "none":
        return
    hosts = subject.experiment.hosts
    apart = load.cpus and workload is not None and workload.cpus
    if hosts.same and not hosts.paired and not apart:
        yield "hosts.load", "load generator and workload share the cores of one host"


def _between_boards(subject: Subject) -> Hits:
    load, hosts = subject.base.load, subject.experiment.hosts
    if load is None or load.generator == "none" or hosts.same or hosts.paired:
        return
    if len(hosts.server) > 1:
        loads = ", ".join(hosts.loads)
        yield "hosts.load", f"{loads} would load {len(hosts.server)} boards at once"


def _nofile(subject: Subject) -> Hits:
    top = subject.highest()
    needed = int(1.2 * top) + 512
    if not top:
        return
    allowed = known(subject.facts.get("limits.nofile_hard"))
    for variant in subject.variants:
        limit = variant.workload.limits.nofile if variant.workload else None
        where = variant.path("workload.limits.nofile")
        if limit is not None:
            soft = limit.numbers[0]
            if soft < needed:
                yield where, f"{soft:g} open files for {top} connections: {needed} are needed"
        elif allowed is not None and allowed < needed:
            yield where, f"not set; the host allows {allowed:.0f} and {needed} are needed"
        elif allowed is None and needed > _KERNEL_NOFILE:
            said = f"a kernel allows {_KERNEL_NOFILE} by itself, and {needed} are needed"
            yield where, f"not set; {said}"


def _alone(subject: Subject) -> Hits:
    rate = subject.uses("load.rps")
    watched = subject.mentions("load.latency", "load.raw_latency", "load.error", "load.good_rps")
    if rate and not watched:
        yield f"metrics.{rate}", "throughput without latency or errors: every reply may be a 503"


RULES = (
    Rule(
        "wrk-threads-floor", "warning",
        "wrk opens fewer connections than it is told to.",
        "It gives every thread ⌊connections / threads⌋: -t4 -c87 opens 84.",
        "Use `threads: 1`, or levels that are multiples of it; let a health rule compare "
        "`load.established == load.connections`.",
        "wrk src/wrk.c: `t->connections = cfg.connections / cfg.threads`",
        _floor,
    ),
    Rule(
        "health-rule-missing", "error",
        "Load is applied and nothing says what healthy is.",
        "Without a threshold nothing can be judged; the article's own rule ends at “超时率 <”.",
        "Write `healthy:` with an error ratio, a latency and `workload.alive`.",
        "Method of this project: rules are fixed before the data",
        _no_rule,
    ),
    Rule(
        "health-timeouts-only", "error",
        "Health is judged by timeouts alone.",
        "Against a server that never answers wrk reports 0 requests and 0 timeouts, and exits 0; "
        "one that refuses every connection has no timeouts either.",
        "Add `load.error_ratio <= 0.1%` and `workload.alive`.",
        "wrk src/wrk.c: timeouts are counted on responses only",
        _timeouts,
    ),
    Rule(
        "single-level-maximum", "error",
        "A maximum is claimed from one or two levels of load.",
        "A run with 100 connections tells whether 100 are healthy, and nothing of 87–92.",
        "Use `search: {find: highest healthy connections, between: [8, 4096]}`.",
        "Jain, The Art of Computer Systems Performance Analysis (1991), §2.1",
        _single,
    ),
    Rule(
        "corrected-latency", "warning",
        "Latency comes from wrk, which corrects it before it prints.",
        "wrk adds requests it would have sent during a stall, whatever the loop: its mean can be "
        "12 times that of the requests sent.",
        "Use `generator: h2load` (one line per request), or show `load.littles_law` beside it.",
        "wrk src/stats.c stats_correct; Tene, “How NOT to Measure Latency” (2013)",
        _corrected,
    ),
    Rule(
        "closed-loop-latency", "note",
        "Latency is measured in a closed loop.",
        "Each connection waits for its reply before it asks again: a slow server is asked less "
        "often, and the tail is left out (coordinated omission).",
        "Give the load a `rate:`, or say in the report that users would not wait.",
        f"{SIGPLAN}, “Open loop in load generator”; Schroeder et al. 2006, NSDI",
        _closed,
    ),
    Rule(
        "client-shares-host", "warning",
        "Load generator and workload share the board's cores.",
        "They compete: the highest level is then that of both together.",
        "Name another host in `hosts: {load: …}`, or give both their own `cpus:`, and guard "
        "`load.cpu <= 85%`.",
        "Jain (1991), §4.2; benchstat documentation, “Tips” (noise)",
        _shares,
    ),
    Rule(
        "load-hosts-shared", "warning",
        "Several boards share their load hosts.",
        "Boards are measured at once: what one board's load takes of the generator's cores and "
        "link, the other's lacks, and both move together.",
        "Give each board its own: `hosts: {load: {per: board}}`, with `load: NAME` of each board "
        "in the inventory; or guard `load.cpu <= 85%`.",
        "Jain (1991), §4.2",
        _between_boards,
    ),
    Rule(
        "nofile-too-low", "error",
        "There are more connections than open files.",
        "Each needs a descriptor at both ends; wrk does not raise its limit, and is faster with "
        "the fewer connections it gets.",
        "Set `workload: {limits: {nofile: …}}` to 1.2 × connections + 512 or more.",
        "getrlimit(2) RLIMIT_NOFILE",
        _nofile,
    ),
    Rule(
        "throughput-alone", "warning",
        "Throughput is reported without latency or errors.",
        "A server that answers 503 to all is very fast.",
        "Report `load.latency_p99` and `load.error_ratio` beside it, or `load.good_rps`.",
        f"{SIGPLAN}, “Measures all important effects”",
        _alone,
    ),
)  # fmt: skip
