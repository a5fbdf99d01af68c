"""Rules about Go: flags that do less or more than they seem, counters and benchmarks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.lint.model import BENCHSTAT, SIGPLAN, Rule
from runner.lint.subject import base, numbers, place, source_of
from runner.records.patterns import PatternError, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject
    from runner.spec.sections.workload import GoTest

    Hits = Iterator[tuple[str, str]]

_GCFLAGS = re.compile(r"""-gcflags[= ](?:"([^"]*)"|'([^']*)'|(\S+))""")
_JVM = re.compile(r"-Xm[xsn]\d|-XX:[+\-\w]|\bjava\s+-|\.jar\b")
_JVM_TERMS = re.compile(r"\bJVM\b|Full ?GC|\bG1\b|-Xmx|\bNetty\b|Direct buffer", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:http|client|c|cl|httpClient|\w*Client)\.(?:Get|Post|Head|Do)\(")
_GOARCH = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i686": "386"}
_PROCESSES, _RUNS = 5, 10
"""Repetitions, and runs of each benchmark, below which a rule warns."""
_SUFFIX = re.compile(r"-\d+$")
_LONGEST = 300
"""Characters of a benchmark's name that are looked at."""
_PINNED = re.compile(r"\d+\.\d+\.\d+")


def _flags(subject: Subject) -> Iterator[tuple[str, list[str]]]:
    own = subject.base.build.gcflags if subject.base.build else ()
    for variant in subject.variants:
        found = variant.build.gcflags if variant.build else ()
        if found and (not variant.where or found != own):
            yield variant.path("build.gcflags"), list(found)
    for where, text in subject.texts():
        for hit in _GCFLAGS.finditer(text):
            yield where, (hit[1] or hit[2] or hit[3]).split()


def _no_inlining(subject: Subject) -> Hits:
    for where, flags in _flags(subject):
        if any(flag.rpartition("=")[2] == "-l" for flag in flags):
            yield where, "-l turns inlining off"


def _main_only(subject: Subject) -> Hits:
    for where, flags in _flags(subject):
        if not flags[0].startswith("-") or set(flags) <= {"-m", "-m=1", "-m=2"}:
            continue
        yield where, f"`{' '.join(flags)}` reaches the named package only, not its dependencies"


def _runtime(subject: Subject) -> Hits:
    go = subject.base.build or subject.uses("gctrace.", "memstats.", "runtime.", "gobench.")
    if not go:
        return
    for where, text in subject.texts():
        if _JVM.search(text):
            yield where, "flags of a JVM in an experiment with Go"
    for claim in subject.claims:
        if _JVM_TERMS.search(claim.quote) and "runtime" not in claim.must:
            what = "speaks of a JVM, and `runtime` is not among the facts that must match"
            yield place(claim), what


def _fractional(subject: Subject) -> Hits:
    counted = {
        name
        for name, metric in subject.metrics.items()
        if metric.source in ("gobench.allocs_per_op", "gobench.bytes_per_op")
    }
    for claim in subject.claims:
        for _, number in numbers(claim):
            value = base(number.value)
            if claim.metric in counted and value is not None and value != int(value):
                yield place(claim), f"{value:g} cannot have been printed by -benchmem"


def _no_gc(subject: Subject) -> Hits:
    counted = subject.uses("gctrace.count", "memstats.NumGC", "runtime./gc/cycles")
    for name, metric in subject.metrics.items():
        source = source_of(metric)
        mean = source in ("gctrace.pause_mean", "gctrace.interval") or (
            source.startswith("gctrace.pause") and metric.statistic == "mean"
        )
        if mean and not counted:
            yield f"metrics.{name}", "a mean over GC cycles, and their number is not reported"


def _cgo(subject: Subject) -> Hits:
    if subject.uses("build.id", "build.sha256"):
        return
    own = subject.base.build.env if subject.base.build else {}
    machine = str(subject.facts.get("arch"))
    host = _GOARCH.get(machine, machine)
    for variant in subject.variants:
        env = variant.build.env if variant.build else {}
        changed = variant.where and env.get("CGO_ENABLED") != own.get("CGO_ENABLED")
        cross = env.get("GOARCH", host) != host or env.get("GOOS", "linux") != "linux"
        if changed and cross:
            where = variant.path("build.env.CGO_ENABLED")
            yield where, "a cross build has cgo off already: the level may change nothing"


def _body(subject: Subject) -> Hits:
    for where, text in subject.sources.items():
        hit = _ASKS.search(text)
        if where.endswith(".go") and hit and "Body.Close()" not in text:
            yield (
                where,
                f"`{hit[0].rstrip('(')}` and no Body.Close(): every request leaks a connection",
            )


def _count(subject: Subject) -> Hits:
    test = _benchmark(subject)
    if test is not None and test.count > 1 and subject.most < _PROCESSES:
        yield (
            "workload.go_test.count",
            ("runs of one process are not independent: layout and heap are the same in all"),
        )


def _few(subject: Subject) -> Hits:
    test = _benchmark(subject)
    runs = subject.fewest * test.count if test is not None else _RUNS
    if runs < _RUNS:
        yield "repeat.between", f"{runs} runs of each benchmark; benchstat asks for {_RUNS} or more"


def _benchmark(subject: Subject) -> GoTest | None:
    return subject.base.workload.go_test if subject.base.workload else None


def _unrun(subject: Subject) -> Hits:
    for name, metric in subject.metrics.items():
        source = source_of(metric)
        named = source.removeprefix("gobench.").rpartition(".")[0]
        tests = [v.workload.go_test for v in subject.variants if v.workload]
        patterns = [str(test.bench) for test in tests if test is not None]
        if not source.startswith("gobench.") or not named or not patterns:
            continue
        if not any(_may_run(pattern, named) for pattern in patterns):
            yield f"metrics.{name}", f"`-bench {patterns[0]}` does not run the benchmark `{named}`"


def _may_run(pattern: str, named: str) -> bool:
    """Say whether `-bench` may run a benchmark; yes where that cannot be told.

    A pattern is of each part of a name between slashes, and a reference has dots there: any part
    of it may be the first, as a package may stand before.
    """
    if "{" in pattern or len(named) > _LONGEST:
        return True  # a factor's word
    parts = re.split(r"[./]", named.removeprefix("Benchmark"))
    for begin in range(len(parts)):
        name = "Benchmark" + parts[begin].removeprefix("Benchmark")
        for alternative in _outside("|", pattern):
            first, *below = _outside("/", alternative)
            rest = parts[begin + 1 :]
            try:
                if not any(matches(first, text) for text in (name, _SUFFIX.sub("", name))):
                    continue
                if (
                    not below
                    or not rest
                    or any(
                        matches(below[0], _SUFFIX.sub("", ".".join(rest[:length])))
                        or matches(below[0], ".".join(rest[:length]))
                        for length in range(1, len(rest) + 1)
                    )
                ):
                    return True
            except PatternError:
                return True  # `go test` says what is wrong with it
    return False


def _outside(sign: str, pattern: str) -> list[str]:
    """Split a pattern at a sign that stands in no brackets, as Go's testing package does."""
    found, depth, escaped = [""], 0, False
    for letter in pattern:
        if letter == sign and not depth and not escaped:
            found.append("")
            continue
        depth += 0 if escaped else (letter in "[(") - (letter in "])" and depth > 0)
        escaped = letter == "\\" and not escaped
        found[-1] += letter
    return found


def _micro(subject: Subject) -> Hits:
    if _benchmark(subject) is not None and subject.base.load is None and subject.claims:
        yield place(subject.claims[0]), "rests on a microbenchmark in one process alone"


def _version(subject: Subject) -> Hits:
    build = subject.base.build
    if build is not None and not build.command and not _PINNED.search(build.go or ""):
        said = build.go
        what = f"Go {said} is not one exact version" if said else "the version of Go is not given"
        yield "build.go", what


RULES = (
    Rule(
        "gcflags-l-disables-inlining", "warning",
        "-gcflags=-l turns inlining off.",
        "The article calls it “启用小函数内联”, enabling; the compiler's flag is the opposite.",
        "Leave -l out; `-m` alone prints what is inlined.",
        "cmd/compile documentation: “-l Disable inlining”",
        _no_inlining,
    ),
    Rule(
        "gcflags-main-only", "note",
        "Compiler flags reach only the package that is named.",
        "The standard library and every dependency are built without them.",
        "Write `gcflags: [all=-N]`.",
        "cmd/go documentation, “-gcflags '[pattern=]arg list'”",
        _main_only,
    ),
    Rule(
        "runtime-mismatch", "error",
        "Flags or metrics of a JVM in an experiment with Go.",
        "Go has no -Xmx, no full GC and no direct buffers: one's numbers say nothing of the other.",
        "Add `runtime` to the claim's `must`: it is then shown as not comparable, with the number "
        "of the Go analogue.",
        "Go: runtime/debug.SetMemoryLimit; JVM: java(1)",
        _runtime,
    ),
    Rule(
        "fractional-allocs", "error",
        "A fraction is claimed of what -benchmem prints as integers.",
        "allocs/op is an integer division in testing.BenchmarkResult.",
        "Take mallocs per request from `runtime` metrics, and say so; or give `rounded_to: 1`.",
        "Go src/testing/benchmark.go: AllocsPerOp",
        _fractional,
    ),
    Rule(
        "pause-without-gc", "warning",
        "A mean over GC cycles is reported without their number.",
        "Over 0 cycles there is no mean; over 2 it says little.",
        "Report `gctrace.count` beside it; without a cycle the value is null, never 0.",
        "Method of this project: a quantity that does not exist is null",
        _no_gc,
    ),
    Rule(
        "cgo-noop-cross-build", "warning",
        "CGO_ENABLED=0 is varied in a cross build.",
        "Cross builds have cgo off unless a C compiler is set up: both levels may be one program.",
        "Compare build ids: `build_id: {from: build.id, kind: exact}`.",
        "cmd/cgo documentation: “disabled by default when cross-compiling”",
        _cgo,
    ),
    Rule(
        "unclosed-body", "error",
        "A benchmark does not close the bodies of its replies.",
        "Every operation leaks a connection and a goroutine; their memory counts as the server's.",
        "Read the body to its end, close it, and check the error.",
        "net/http documentation: “The caller must close the response body”",
        _body,
    ),
    Rule(
        "count-is-not-repetition", "warning",
        "-count stands in for repetitions.",
        "Runs in one process share its memory layout and heap; the spread between processes is "
        "larger, and is the one that counts.",
        "Repeat the trial: `repeat: {between: [7, 12]}`.",
        "Kalibera and Jones 2013, ISMM; Mytkowicz et al. 2009, ASPLOS",
        _count,
    ),
    Rule(
        "benchstat-few-runs", "note",
        "A Go benchmark is run fewer than 10 times.",
        "“Each benchmark should be run at least 10 times to gather a statistically significant "
        "sample of results.”",
        "Raise `repeat.between`.",
        f"{BENCHSTAT}, “Usage”",
        _few,
    ),
    Rule(
        "benchmark-not-run", "warning",
        "A metric is of a benchmark that `bench` does not run.",
        "Its pattern matches other names, and the metric is null in every trial.",
        "Let `go_test: {bench: …}` match the name, or name one that it matches.",
        "cmd/go documentation, “Testing flags”: -bench",
        _unrun,
    ),
    Rule(
        "microbenchmark-only", "note",
        "What is claimed rests on a microbenchmark alone.",
        "Client and server share a process, a heap and its collector: a server under load is "
        "another program.",
        "Claim it of the benchmark, and measure a server with `load:` beside it.",
        f"{SIGPLAN}, “Applications, not (just) (micro)kernels”",
        _micro,
    ),
    Rule(
        "go-version-not-exact", "warning",
        "The toolchain is not one exact version.",
        "Minor releases change the runtime; `1.22` is a family of programs.",
        'Write all three parts, in quotes: `go: "1.22.10"`.',
        f"{SIGPLAN}, “Sufficient information to repeat”",
        _version,
    ),
)  # fmt: skip
