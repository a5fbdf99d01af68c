"""Rules about Go: flags that do less or more than they seem, counters and benchmarks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.lint.model import BENCHSTAT, SIGPLAN, Rule
from runner.lint.view import amount, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.view import View

    Hits = Iterator[tuple[str, str]]

_GCFLAGS = re.compile(r"""-gcflags[= ](?:"([^"]*)"|'([^']*)'|(\S+))""")
_JVM = re.compile(r"-Xm[xsn]\d|-XX:[+\-\w]|\bjava\s+-|\.jar\b")
_JVM_TERMS = re.compile(r"\bJVM\b|Full ?GC|\bG1\b|-Xmx|\bNetty\b|Direct buffer", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:http|client|c|cl|httpClient|\w*Client)\.(?:Get|Post|Head|Do)\(")
_GOARCH = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i686": "386"}
_PINNED = re.compile(r"\d+\.\d+\.\d+")


def _flags(view: View) -> Iterator[tuple[str, list[str]]]:
    for variant in view.variants:
        found = words(variant.at("build", "gcflags"))
        if found and (not variant.where or found != words(view.base.at("build", "gcflags"))):
            yield variant.path("build.gcflags"), found
    for where, text in view.texts():
        for hit in _GCFLAGS.finditer(text):
            yield where, (hit[1] or hit[2] or hit[3]).split()


def _no_inlining(view: View) -> Hits:
    for where, flags in _flags(view):
        if any(flag.rpartition("=")[2] == "-l" for flag in flags):
            yield where, "-l turns inlining off"


def _main_only(view: View) -> Hits:
    for where, flags in _flags(view):
        if not flags[0].startswith("-") or set(flags) <= {"-m", "-m=1", "-m=2"}:
            continue
        yield where, f"`{' '.join(flags)}` reaches the named package only, not its dependencies"


def _runtime(view: View) -> Hits:
    go = view.base.at("build") or view.uses("gctrace.", "memstats.", "runtime.", "gobench.")
    for where, text in view.texts():
        if go and _JVM.search(text):
            yield where, "flags of a JVM in an experiment with Go"
    for claim in view.claims:
        if (
            go
            and _JVM_TERMS.search(str(claim.get("quote", "")))
            and "runtime" not in (claim.get("must") or ())
        ):
            where = f"claims.{claim.get('id')}"
            yield where, "speaks of a JVM, and `runtime` is not among the facts that must match"


def _fractional(view: View) -> Hits:
    counted = {
        name
        for name, metric in view.metrics.items()
        if str(metric.get("from")) in ("gobench.allocs_per_op", "gobench.bytes_per_op")
    }
    for claim in view.claims:
        for _, number in view.published(claim):
            value = amount(number.get("value"))
            if claim.get("metric") in counted and value is not None and value != int(value):
                where = f"claims.{claim.get('id')}"
                yield where, f"{value:g} cannot have been printed by -benchmem"


def _no_gc(view: View) -> Hits:
    counted = view.uses("gctrace.count", "memstats.NumGC", "runtime./gc/cycles")
    for name, metric in view.metrics.items():
        source = str(metric.get("from") or "")
        mean = source in ("gctrace.pause_mean", "gctrace.interval") or (
            source.startswith("gctrace.pause") and metric.get("statistic") == "mean"
        )
        if mean and not counted:
            yield f"metrics.{name}", "a mean over GC cycles, and their number is not reported"


def _cgo(view: View) -> Hits:
    if view.uses("build.id", "build.sha256"):
        return
    base = view.base.at("build", "env") or {}
    machine = view.facts.get("arch")
    host = _GOARCH.get(str(machine), machine)
    for variant in view.variants:
        env = variant.at("build", "env") or {}
        changed = variant.where and env.get("CGO_ENABLED") != base.get("CGO_ENABLED")
        cross = env.get("GOARCH") not in (None, host) or env.get("GOOS") not in (None, "linux")
        if changed and cross:
            where = variant.path("build.env.CGO_ENABLED")
            yield where, "a cross build has cgo off already: the level may change nothing"


def _body(view: View) -> Hits:
    for where, text in view.sources.items():
        hit = _ASKS.search(text)
        if where.endswith(".go") and hit and "Body.Close()" not in text:
            yield (
                where,
                f"`{hit[0].rstrip('(')}` and no Body.Close(): every request leaks a connection",
            )


def _count(view: View) -> Hits:
    test = view.base.at("workload", "go_test") or {}
    between = view.at("repeat", "between") or (1, 1)
    if int(test.get("count") or 1) > 1 and int(between[1]) < 5:
        yield (
            "workload.go_test.count",
            ("runs of one process are not independent: layout and heap are the same in all"),
        )


def _few(view: View) -> Hits:
    test = view.base.at("workload", "go_test")
    if not test:
        return
    between = view.at("repeat", "between") or (1, 1)
    runs = int(between[0]) * int(test.get("count") or 1)
    if runs < 10:
        yield "repeat.between", f"{runs} runs of each benchmark; benchstat asks for 10 or more"


def _micro(view: View) -> Hits:
    if view.base.at("workload", "go_test") and not view.base.at("load"):
        for claim in view.claims:
            yield f"claims.{claim.get('id')}", "rests on a microbenchmark in one process alone"
            return


def _version(view: View) -> Hits:
    build = view.base.at("build")
    if build and not build.get("command") and not _PINNED.search(str(build.get("go") or "")):
        said = build.get("go")
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
