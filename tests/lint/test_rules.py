"""One spec that trips each rule, and one that does not."""

import re
from pathlib import Path

import pytest

from runner import specfile
from runner.lint import SEVERITIES, all_rules, explain, lint
from runner.spec import Experiment
from runner.spec.treatments import merge

RULES = all_rules()

CLEAN = {
    "hosts": {"server": "pi4", "load": "pi5"},
    "system": {"cpu_governor": "performance", "sysctl": {"vm.swappiness": 10}},
    "build": {"go": "1.22.10", "package": "./server"},
    "workload": {
        "argv": ["{binary}", "-listen", "127.0.0.1:{port}"],
        "cgroup": {"memory.max": "32MiB"},
        "limits": {"nofile": 20000},
    },
    "load": {
        "generator": "h2load",
        "threads": 1,
        "warmup": "5s",
        "steps": {"from": 10, "to": 1000, "times": 10, "duration": "60s"},
    },
    "healthy": ["load.error_ratio <= 0.1%", "workload.alive"],
    "guards": ["board.throttled.gained == none", "load.cpu <= 85%"],
    "repeat": {"between": [7, 7], "order": {"by": "blocks", "seed": 1}},
    "metrics": {
        "rps": {"from": "load.rps", "per": "step"},
        "peak": {"from": "cgroup.peak", "unit": "MiB"},
    },
    "claims": [
        {
            "id": "1",
            "quote": "3000/s",
            "metric": "rps",
            "published": {"value": 3000, "rounded_to": 100},
            "must": ["board.model"],
            "declared": {"board.model": "Raspberry Pi 4 Model B"},
        }
    ],
}


def claim(**more):
    return {"claims": [{**CLEAN["claims"][0], **more}]}


def number(value, **more):
    return claim(published={"value": value, **more})


NEVER = {
    "id": "1",
    "quote": "nothing is lost",
    "metric": "rps",
    "estimand": "never",
    "must": ["board.model"],
    "declared": {"board.model": "Raspberry Pi 4 Model B"},
}


def shell(text):
    return {"workload": {"argv": ["/bin/sh", "-c", text]}}


def metric(source, **more):
    return {"metrics": {"m": {"from": source, **more}}}


WRK = {"load": {"generator": "wrk", "threads": 4}}
SEARCH = {"search": {"between": [8, 4096]}, "load": {"steps": None}}
FLAGS = {"factors": {"flags": {"plain": {}, "all": {"build": {"ldflags": ["-s"]}}}}}
SOURCE = """
func BenchmarkNetHTTP(b *testing.B) {
    for i := 0; i < b.N; i++ { _, _ = http.Get(srv.URL) }
}
"""

CASES = {
    "cgroup-tasks-name": (
        shell('echo "server" > /sys/fs/cgroup/memory/tasks; ./server'),
        shell("echo $$ > /sys/fs/cgroup/memory/mine/tasks; ./server"),
    ),
    "ulimit-v-kib": (shell("ulimit -v 33554432; ./server"), shell("ulimit -n 4096; ./server")),
    "rss-is-not-memcg": (
        {**number("32MiB", rounded_to="1MiB"), "metrics": {"rps": {"from": "procfs.rss"}}},
        {**number("32MiB", rounded_to="1MiB"), "metrics": {"rps": {"from": "cgroup.peak"}}},
    ),
    "memory-exceeds-board": (
        shell("java -Xmx4g -XX:MaxDirectMemorySize=2g -jar x.jar"),
        shell("java -Xmx1g -jar x.jar"),
    ),
    "hugetlb-is-not-thp": (
        {"system": {"hugepages": 16}, **claim(quote="启用透明大页(THP)")},
        {"system": {"transparent_hugepage": "always"}, **claim(quote="启用透明大页(THP)")},
    ),
    "hugetlb-escapes-memcg": (
        {"system": {"sysctl": {"vm.nr_hugepages": 16}}},
        {"system": {"sysctl": {"vm.nr_hugepages": 0}}},
    ),
    "swappiness-without-swap": (
        {"workload": {"cgroup": {"memory.swap.max": 0}}},
        {"workload": {"cgroup": {"memory.swap.max": "1GiB"}}},
    ),
    "unit-mb-mib": (
        shell("awk '{print $1/1024/1024 \" MB\"}' /x; ./server"),
        shell("awk '{print $1/1024/1024 \" MiB\"}' /x; ./server"),
    ),
    "page-cache-charged": ({"workload": {"argv": ["./server"]}}, {}),
    "wrk-threads-floor": (
        merge(WRK, {"load": {"steps": [{"connections": 87}]}}),
        merge(WRK, {"load": {"steps": [{"connections": 88}]}}),
    ),
    "health-rule-missing": ({"healthy": []}, {}),
    "health-timeouts-only": (
        {"healthy": ["load.errors.timeout == 0"]},
        {"healthy": ["load.errors.timeout == 0", "load.error_ratio <= 1%"]},
    ),
    "single-level-maximum": (
        {
            **claim(unit="connections", published={"low": 87, "high": 92}),
            "load": {"steps": [{"connections": 100}]},
        },
        {**claim(unit="connections", published={"low": 87, "high": 92}), **SEARCH},
    ),
    "ladder-not-geometric": (
        {"load": {"steps": [{"connections": c} for c in (100, 1000, 5000, 10000)]}},
        {"load": {"steps": [{"connections": c} for c in (100, 1000, 10000)]}},
    ),
    "corrected-latency": (
        {**merge(WRK, {}), **metric("load.latency_p99")},
        {**merge(WRK, {}), **metric("load.rps")},
    ),
    "closed-loop-latency": (
        metric("load.latency_p99"),
        {
            **metric("load.latency_p99"),
            "load": {"generator": "vegeta", "rate": "100/s", "steps": None},
        },
    ),
    "client-shares-host": ({"hosts": {"load": "pi4"}}, {}),
    "load-hosts-shared": (
        {"hosts": {"server": ["pi4", "pi6"], "load": "pi5"}},
        {"hosts": {"server": ["pi4", "pi6"], "load": {"per": "board", "hosts": ["pi5", "pi7"]}}},
    ),
    "step-too-short": (
        {"load": {"steps": [{"connections": 100, "duration": "6s"}]}},
        {"load": {"steps": [{"connections": 100, "duration": "10s"}]}},
    ),
    "nofile-too-low": (
        {"workload": {"limits": {"nofile": 1024}}},
        {"workload": {"limits": {"nofile": 1712}}},
    ),
    "threads-exceed-cores": (
        {"hosts": {"server": "pi4", "load": None}, "load": {"threads": 8}},
        {"hosts": {"server": "pi4", "load": None}, "load": {"threads": 4}},
    ),
    "no-warmup": ({"load": {"warmup": "0s"}}, {}),
    "guards-missing": ({"guards": []}, {}),
    "throughput-alone": ({"healthy": ["workload.alive"]}, {}),
    "gcflags-l-disables-inlining": (
        {"build": {"gcflags": ["-l", "-m"]}},
        {"build": {"gcflags": ["-m"]}},
    ),
    "gcflags-main-only": ({"build": {"gcflags": ["-N"]}}, {"build": {"gcflags": ["all=-N"]}}),
    "runtime-mismatch": (
        claim(quote="Full GC频次/分 0 / 3 / 12"),
        claim(
            quote="Full GC频次/分 0 / 3 / 12",
            must=["runtime", "board.model"],
            declared={"runtime": "jvm", "board.model": "x"},
        ),
    ),
    "fractional-allocs": (
        {**number(12.3, rounded_to=0.1), "metrics": {"rps": {"from": "gobench.allocs_per_op"}}},
        {**number(12, rounded_to=1), "metrics": {"rps": {"from": "gobench.allocs_per_op"}}},
    ),
    "pause-without-gc": (
        metric("gctrace.pause_mean"),
        {"metrics": {"m": {"from": "gctrace.pause_mean"}, "n": {"from": "gctrace.count"}}},
    ),
    "cgo-noop-cross-build": (
        {
            "build": {"env": {"GOARCH": "amd64"}},
            "factors": {"cgo": {"on": {}, "off": {"build": {"env": {"CGO_ENABLED": "0"}}}}},
        },
        {
            "build": {"env": {"GOARCH": "amd64"}},
            "factors": {"cgo": {"on": {}, "off": {"build": {"env": {"CGO_ENABLED": "0"}}}}},
            "metrics": {"id": {"from": "build.id", "kind": "exact"}},
        },
    ),
    "unclosed-body": (
        {},
        {},
        {"http_test.go": SOURCE},
        {
            "http_test.go": SOURCE.replace(
                "_, _ = http.Get(srv.URL)", "r, _ := http.Get(u); r.Body.Close()"
            )
        },
    ),
    "count-is-not-repetition": (
        {
            "workload": {"go_test": {"count": 10}, "argv": None},
            "repeat": {"between": [1, 1]},
        },
        {"workload": {"go_test": {"count": 10}, "argv": None}},
    ),
    "benchstat-few-runs": (
        {"workload": {"go_test": {"bench": "."}, "argv": None}},
        {"workload": {"go_test": {"bench": "."}, "argv": None}, "repeat": {"between": [10, 10]}},
    ),
    "microbenchmark-only": (
        {"workload": {"go_test": {"bench": "."}, "argv": None}, "load": None},
        {"workload": {"go_test": {"bench": "."}, "argv": None}, "load": None, "claims": []},
    ),
    "go-version-not-exact": ({"build": {"go": "1.22"}}, {}),
    "secret-in-argv": (
        {"workload": {"argv": ["x", {"secret": ["env:TOKEN"]}]}},
        {"workload": {"argv": ["x"], "env": {"TOKEN": {"secret": ["env:TOKEN"]}}}},
    ),
    "file-left-behind": (
        {"workload": {"argv": ["python3", "{dir}/srv.py", "{port}", "{binary}"]}},
        {"workload": {"argv": ["python3", "/tmp/srv.py", "srv.py2", "{binary}"]}},
    ),
    "build-unused": (
        {"workload": {"argv": ["./server", "{port}"]}},
        {"workload": {"argv": ["./server", "{port}"]}, "metrics": {"z": {"from": "build.size"}}},
    ),
    "levels-alike": (
        {"factors": {"way": {"one": {}, "two": {}}}},
        {
            "factors": {"way": {"one": {}, "two": {}}},
            "workload": {"env": {"WAY": "{way}"}},
        },
    ),
    "benchmark-not-run": (
        {
            "workload": {"go_test": {"bench": "Copy/size"}, "argv": None},
            "metrics": {"m": {"from": "gobench.Copy.len-64-4.ns_per_op"}},
        },
        {
            "workload": {"go_test": {"bench": "Get|Copy/size"}, "argv": None},
            "metrics": {
                "m": {"from": "gobench.example.com.x.Copy.size-64-4.ns_per_op"},
                "n": {"from": "gobench.BenchmarkGet-4.ns_per_op"},
                "all": {"from": "gobench.ns_per_op"},
            },
        },
    ),
    "sampling-too-sparse": (
        {"sample": {"hz": 0.02}, "metrics": {"m": {"from": "procfs.rss"}}},
        {"sample": {"hz": 0.02}, "metrics": {"m": {"from": "procfs.minor_faults"}}},
    ),
    "source-unfed": (
        {"metrics": {"cycles": {"from": "gctrace.count"}}},
        {
            "metrics": {"cycles": {"from": "gctrace.count"}},
            "workload": {"env": {"GODEBUG": "gctrace=1"}},
        },
    ),
    "runs-unsaid": (
        {"build": {"env": {"GOFLAGS": "-toolexec=./x"}}},
        {"build": {"env": {"GOFLAGS": "-toolexec=./x"}, "runs": ["./x"]}},
    ),
    "no-repetitions": ({"repeat": {"between": [1, 1]}}, {}),
    "too-few-repetitions": ({"repeat": {"between": [3, 3]}}, {}),
    "many-claims": (
        {"claims": [{**CLEAN["claims"][0], "id": str(i)} for i in range(5)]},
        {
            "claims": [{**CLEAN["claims"][0], "id": str(i)} for i in range(5)],
            "repeat": {"between": [9, 9]},
        },
    ),
    "optional-stopping": (
        {"repeat": {"between": [7, 15]}},
        {"repeat": {"between": [7, 15], "stop_when": {"half_width": "2%"}}},
    ),
    "not-interleaved": ({**FLAGS, "repeat": {"order": {"by": "written"}}}, FLAGS),
    "unseeded-order": ({**FLAGS, "repeat": {"order": {"seed": None}}}, FLAGS),
    "no-baseline": (FLAGS, {**FLAGS, "baseline": {"flags": "plain"}}),
    "confounded-levels": (
        {"factors": {"mode": {"a": {}, "b": {"build": {"race": True}, "load": {"threads": 2}}}}},
        {"factors": {"mode": {"a": {}, "b": {"build": {"race": True}}}}},
    ),
    "kept-between-levels": (
        {"search": {"between": [1, 9], "workload": "keep"}},
        {"search": {"between": [1, 9]}},
    ),
    "claim-without-scope": (claim(must=[], declared={}), {}),
    "fact-not-declared": (claim(declared={}), {}),
    "another-board": (
        claim(declared={"board.model": "Raspberry Pi 5"}),
        claim(declared={"board.model": "Raspberry Pi 4 Model B"}),
    ),
    "value-without-width": (
        number(3000),
        claim(
            published={"value": 3000}, margin={"relative": "5%", "why": "a user would not notice"}
        ),
    ),
    "margin-wide": (
        claim(margin={"relative": "50%", "why": "generous"}),
        claim(margin={"relative": "5%", "why": "a user would not notice"}),
    ),
    "mean-latency-alone": (
        metric("load.latency_mean"),
        {"metrics": {"m": {"from": "load.latency_mean"}, "p": {"from": "load.latency_p99"}}},
    ),
    "governor-undeclared": ({"system": {"cpu_governor": None}}, {}),
    "range-needs-seven": (
        {"repeat": {"between": [6, 6]}},
        {**claim(published={"low": 3000, "value": None}), "repeat": {"between": [6, 6]}},
    ),
    "comparison-needs-six": (
        {**FLAGS, "baseline": {"flags": "plain"}, "repeat": {"between": [5, 5]}},
        {**FLAGS, "baseline": {"flags": "plain"}},
    ),
    "bound-needs-more": (
        {"claims": [{**NEVER, "bound": "1 in 20"}]},
        {"claims": [{**NEVER, "bound": "1 in 20"}], "repeat": {"between": [59, 59]}},
    ),
    "universal-as-median": (
        claim(quote="the server never loses a message"),
        {"claims": [{**NEVER, "bound": "1 in 2"}]},
    ),
    "exact-output": (
        {
            "metrics": {"lost": {"from": "stdout.json.lost", "kind": "exact"}},
            "claims": [{**CLEAN["claims"][0], "metric": "lost"}],
        },
        {
            "metrics": {"size": {"from": "build.size", "kind": "exact"}},
            "claims": [{**CLEAN["claims"][0], "metric": "size"}],
        },
    ),
    "margin-half-the-value": (
        claim(margin={"absolute": 2000, "why": "generous"}),
        claim(margin={"absolute": 100, "why": "a user would not notice"}),
    ),
    "window-too-short": (
        {
            **metric("gctrace.count", **{"as": "rate/min"}),
            "load": {"steps": {"from": 10, "to": 1000, "times": 10, "duration": "10s"}},
        },
        metric("gctrace.count", **{"as": "rate/min"}),
    ),
    "single-layout": (
        {**FLAGS, **claim(metric="rps")},
        {**FLAGS, **claim(metric="peak")},
    ),
    "claims-not-stated": ({"source": {"title": "x"}, "claims": []}, {"source": {"title": "x"}}),
}

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
# the article's claims lie there as data
SHIPPED = [
    path for path in sorted(EXPERIMENTS.rglob("*.yaml")) if path.stem != "claims-of-the-article"
]
FACTS = {
    "memory.total_bytes": 4_000_000_000,
    "memory.swap_total_bytes": 100_000_000,
    "arch": "aarch64",
    "limits.nofile_hard": 1024,
    "cpu.count": 4,
    "board.model": "Raspberry Pi 4 Model B Rev 1.2",
}


def spec(over):
    """CLEAN with parts laid over it."""
    return Experiment.model_validate(merge(CLEAN, over))


def found(over, sources=None):
    return {f.rule for f in lint(spec(over), FACTS, sources, beside="srv.py".__eq__)}


def test_every_rule_has_a_case():
    assert sorted(rule.id for rule in RULES) == sorted(CASES)


@pytest.mark.parametrize("rule", CASES)
def test_rule_trips(rule):
    bad, _, *sources = CASES[rule]
    assert rule in found(bad, *sources[:1])


@pytest.mark.parametrize("rule", CASES)
def test_rule_does_not_trip(rule):
    _, good, *sources = CASES[rule]
    assert rule not in found(good, *sources[1:])


def test_clean_spec_has_no_findings():
    assert lint(spec({}), FACTS) == ()


def test_every_fault_of_the_article_has_its_rule():
    named = """cgroup-tasks-name ulimit-v-kib gcflags-l-disables-inlining gcflags-main-only
    wrk-threads-floor health-rule-missing health-timeouts-only single-level-maximum rss-is-not-memcg
    runtime-mismatch memory-exceeds-board ladder-not-geometric fractional-allocs pause-without-gc
    cgo-noop-cross-build unclosed-body hugetlb-is-not-thp hugetlb-escapes-memcg
    swappiness-without-swap unit-mb-mib no-repetitions corrected-latency client-shares-host
    step-too-short nofile-too-low page-cache-charged"""
    assert set(named.split()) <= set(CASES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rules_are_well_formed(rule):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
    assert rule.severity in SEVERITIES
    for text in (rule.sentence, rule.why, rule.fix):
        assert text.strip() == text
        assert text.endswith((".", "”"))
    assert rule.source
    assert explain(rule.id) is rule
    assert rule.sentence in rule.text()


def test_ignored_findings_keep_their_reason():
    why = {"lint": {"ignore": {"no-warmup": "cold starts are meant"}}}
    (finding,) = lint(spec({"load": {"warmup": "0s"}, **why}), FACTS)
    assert (finding.rule, finding.ignored) == ("no-warmup", "cold starts are meant")


def test_unknown_ignored_rule_is_a_finding():
    made = spec({"lint": {"ignore": {"no-such-rule": "x"}}})
    assert [f.rule for f in lint(made, FACTS)] == ["unknown-rule"]


def test_gravest_first():
    findings = lint(spec({"repeat": {"between": [1, 1]}, "guards": [], "load": {"warmup": "0s"}}))
    ranks = [SEVERITIES.index(f.severity) for f in findings]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 3


def test_an_empty_spec_is_no_crash():
    assert lint(Experiment()) == ()


@pytest.mark.parametrize(
    ("over", "rule", "said"),
    [
        (WRK | {"load": {"generator": "wrk", "threads": 4, "steps": [{"connections": 87}]}},
         "wrk-threads-floor", "opens 84"),
        (shell("wrk -t4 -c87 -d30s http://x"), "wrk-threads-floor", "opens 84"),
        (shell("ulimit -v 33554432"), "ulimit-v-kib", "32 GiB"),
        (shell("ulimit -v 32768"), "ulimit-v-kib", "cannot start"),
        (shell("echo 33554432 > /sys/fs/cgroup/memory/memory.limit_in_bytes"),
         "cgroup-tasks-name", "root group"),
        ({**number(5.1, rounded_to=0.1), "claims": [{**number(5.1, rounded_to=0.1)["claims"][0],
          "unit": "GB"}]}, "memory-exceeds-board", "5.1 GB do not fit"),
        ({"workload": {"cgroup": {"memory.max": "8GiB"}}}, "memory-exceeds-board", "above the board"),
        ({"system": {"hugepages": {"2MiB": 16}}}, "hugetlb-escapes-memcg", "hugetlb pages"),
        (shell('go build -gcflags="-l -m" .'), "gcflags-l-disables-inlining", "inlining off"),
        ({"load": {"steps": {"from": 10, "to": 100, "times": None, "by": 10, "duration": "2s"}}},
         "step-too-short", "2 s are short"),
        ({"workload": {"limits": None}}, "nofile-too-low", "the host allows 1024"),
        ({"workload": {"limits": {"as": "32MiB"}}}, "ulimit-v-kib", "1 GiB"),
        (merge(SEARCH, {"workload": {"limits": {"nofile": 4096}}}), "nofile-too-low", "5427"),
        ({**metric("gctrace.count"), "load": {"steps": [{"connections": 9, "duration": "20s"}]}},
         "step-too-short", "GC cycles"),
        ({"healthy": ["procfs.rss <= 32MiB"]}, "rss-is-not-memcg", "RSS"),
        ({**number("32MB", rounded_to="1MB")}, "unit-mb-mib", "limit of 32 MiB"),
        ({**WRK, **claim(unit="connections", published={"low": 87, "high": 92})},
         "wrk-threads-floor", "opens 84"),
        ({**claim(published={"value": 3}), "metrics": {"rps": {"from": "gctrace.count", "as": "rate/min"}}},
         "step-too-short", "60 s hold 3 GC cycles"),
        ({**shell("echo 33554432 > /sys/fs/cgroup/memory/mine/memory.limit_in_bytes; ./server"),
          "healthy": ["procfs.rss <= 32MiB"]}, "rss-is-not-memcg", "RSS"),
    ],
)  # fmt: skip
def test_messages_name_the_fault(over, rule, said):
    messages = [f.message for f in lint(spec(over), FACTS) if f.rule == rule]
    assert any(said in message for message in messages), messages


def test_levels_are_checked_too():
    over = {"factors": {"f": {"a": {}, "b": {"build": {"gcflags": ["-l"]}}}}}
    where = [f.where for f in lint(spec(over), FACTS) if f.rule == "gcflags-l-disables-inlining"]
    assert where == ["factors.f.b.build.gcflags"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_specs_can_be_linted(path):
    made = specfile.load(path)
    for finding in lint(made):
        assert finding.message
        assert finding.where


SIGPLAN = {
    "Explicit claims": "claims-not-stated",
    "Appropriately-scoped claims": "claim-without-scope",
    "Acknowledges limitations": "a report says what differs, was skipped, is not comparable",
    "Appropriate baseline for comparison": "no-baseline",
    "Fair comparison": "confounded-levels",
    "Appropriate suite": "specs have no suites: a claim names its program",
    "Non-standard suite(s) justified": "specs have no suites: a claim names its program",
    "Applications, not (just) (micro)kernels": "microbenchmark-only",
    "Sufficient number of trials": "no-repetitions",
    "Appropriate summary statistics": "mean-latency-alone",
    "Report data distribution": "a report draws every repetition and gives an interval",
    "Direct or appropriate proxy metric": "rss-is-not-memcg",
    "Measures all important effects": "throughput-alone",
    "Sufficient information to repeat": "go-version-not-exact",
    "Reasonable platform": "governor-undeclared",
    "Explores key design parameters": "ladder-not-geometric",
    "Open loop in load generator": "closed-loop-latency",
    "Cross validation where needed": "specs fit no model to data",
    "Comprehensive summary of results": "a report has every claim and every metric",
    "Axes include zero": "figures are the tool's own",
    "Ratios plotted correctly": "comparisons treat b / a and a / b alike",
    "Appropriate level of precision": "value-without-width",
}
"""The checklist, line by line: the rule that warns of it, or why none can."""
BENCHSTAT = {
    "Each benchmark should be run at least 10 times": "benchstat-few-runs",
    "run benchmarks on an otherwise idle machine": "client-shares-host",
    "isn't likely to be affected by thermal throttling": "guards-missing",
    "interleave before and after runs": "not-interleaved",
    "Pick a number of benchmark runs … and stick to it": "optional-stopping",
    "if you compare a large number of benchmarks …": "many-claims",
}
"""What benchstat's documentation warns of, in its words."""


@pytest.mark.parametrize(("line", "rule"), SIGPLAN.items())
def test_every_line_of_sigplans_checklist_has_its_rule_or_a_reason(line, rule):
    found = explain(rule)
    assert " " in rule or found is not None
    if found is not None:
        sources = [known.source for known in RULES if line in known.source]
        assert sources or rule == "rss-is-not-memcg"
        assert line in found.source or rule == "rss-is-not-memcg"


@pytest.mark.parametrize("rule", BENCHSTAT.values())
def test_what_benchstat_warns_of_is_a_rule_with_that_source(rule):
    assert "benchstat documentation" in explain(rule).source


def test_sources_name_known_lines_of_the_checklist():
    """A rule cannot quote a line that the checklist does not have."""
    for rule in RULES:
        if "SIGPLAN" in rule.source:
            assert any(line in rule.source for line in SIGPLAN), rule.id


@pytest.mark.parametrize(("arch", "trips"), [("aarch64", False), ("x86_64", True), (None, True)])
def test_a_build_for_the_host_itself_is_no_cross_build(arch, trips):
    over = {
        "build": {"env": {"GOARCH": "arm64"}},
        "factors": {"cgo": {"on": {}, "off": {"build": {"env": {"CGO_ENABLED": "0"}}}}},
    }
    findings = lint(spec(over), {**FACTS, "arch": arch})
    assert ("cgo-noop-cross-build" in {f.rule for f in findings}) is trips


@pytest.mark.parametrize(
    ("repeat", "fewest", "trips"),
    [
        ({"per_board": [3, 6]}, 3, {"too-few-repetitions", "optional-stopping"}),
        ({"per_board": 7}, 7, set()),
    ],
)
def test_blocks_of_each_board_are_repetitions(repeat, fewest, trips):
    """`per_board` is no single run; several boards have so many each."""
    made = spec({"repeat": {"between": None, "order": CLEAN["repeat"]["order"], **repeat}})
    assert made.blocks[0] == fewest
    rules = {f.rule for f in lint(made, FACTS)}
    assert trips <= rules
    assert "no-repetitions" not in rules
    two = made.model_copy(update={"hosts": made.hosts.model_copy(update={"server": ("a", "b")})})
    assert {f.rule for f in lint(two, FACTS)} & {"too-few-repetitions"} == set()


def test_a_ladder_of_rates_is_no_ladder_of_connections():
    over = {
        "load": {
            "generator": "vegeta", "connections": 64,
            "steps": {"from": 1000, "to": 90000, "times": 3, "duration": "60s", "vary": "rate"},
        },
    }  # fmt: skip
    assert "nofile-too-low" not in found(over)


def test_a_level_is_looked_at_with_what_it_is_filled_in_with():
    over = {
        "factors": {
            "limit": ["6GiB"],
            "other": {"big": {"workload": {"cgroup": {"memory.max": "{limit}"}}}},
        }
    }
    findings = lint(spec(over), FACTS)
    assert "factors.other.big.workload.cgroup.memory.max" in {
        f.where for f in findings if f.rule == "memory-exceeds-board"
    }


@pytest.mark.parametrize(
    "levels",
    [
        {
            "one": {"workload": {"cgroup": {"memory.max": "16MiB"}}},
            "two": {"workload": {"cgroup": {"memory.max": "16384KiB"}}},
        },
        {"one": {"load": {"warmup": "1min"}}, "two": {"load": {"warmup": "60s"}}},
        {
            "one": {"system": {"sysctl": {"vm.swappiness": 10}}},
            "two": {"system": {"sysctl": {"vm.swappiness": "0xa"}}},
        },
        {"one": {}, "two": {"system": {"sysctl": {"vm.swappiness": 10}}}},
    ],
)
def test_levels_of_one_effect_are_alike_however_they_are_written(levels):
    """What differs between 16MiB and 16384KiB is the spelling."""
    assert "levels-alike" in found({"factors": {"way": levels}})


@pytest.mark.parametrize(
    ("levels", "trips"),
    [
        (["16MiB", "16384KiB"], True),
        (["60s", "1min", "2min"], True),
        (["1.10", "1.1"], False),
        (["16MB", "16MiB"], False),
    ],
)
def test_levels_that_are_one_amount_are_named(levels, trips):
    """A version is no amount: 1.10 is another than 1.1."""
    over = {"factors": {"size": levels}, "workload": {"env": {"SIZE": "{size}"}}}
    assert ("levels-alike" in found(over)) is trips


@pytest.mark.parametrize(
    ("pattern", "named", "trips"),
    [
        (".", "Get-4", False),
        ("^Get$", "Get-4", True),  # the whole name is BenchmarkGet
        ("^BenchmarkGet$", "Get-4", False),
        ("(A|B)$/[a/b]", "A.a-4", False),
        ("(A|B)$/[a/b]", "AB.c-4", True),
        ("{way}", "Get-4", False),
        ("Copy", "Copy.size-64", False),
        ("Copy/size-1[.]5", "Copy.size-1.5-4", False),
        ("ServerOnly", "Client.ns", True),
    ],
)
def test_a_benchmark_that_the_pattern_leaves_out_is_named(pattern, named, trips):
    over = {
        "workload": {"go_test": {"bench": pattern}, "argv": None},
        "metrics": {"m": {"from": f"gobench.{named}.ns_per_op"}},
    }
    assert ("benchmark-not-run" in found(over)) is trips
