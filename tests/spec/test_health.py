"""Rules become plain data, and what is not a rule says so."""

from __future__ import annotations

import pytest

from runner.records.quantities import parse
from runner.spec.health import Reference, Rule, RuleError, parse_rule


@pytest.mark.parametrize(
    ("text", "subject", "op", "value"),
    [
        ("load.error_ratio <= 0.001", "load.error_ratio", "<=", parse("0.001")),
        ("load.error_ratio<=0.1%", "load.error_ratio", "<=", parse("0.1%")),
        ("load.latency_p99 <= 500ms", "load.latency_p99", "<=", parse("500ms")),
        (
            "load.established == load.connections",
            "load.established",
            "==",
            Reference("load.connections"),
        ),
        (
            "load.established >= 98% * load.connections",
            "load.established",
            ">=",
            Reference("load.connections", 0.98),
        ),
        ("load.errors.connect == 0", "load.errors.connect", "==", parse(0)),
        ("cgroup.oom_kills > 0", "cgroup.oom_kills", ">", parse(0)),
        ("workload.alive", "workload.alive", "is", True),
        ("not workload.dead", "workload.dead", "is", False),
        ("build.toolchain == devel", "build.toolchain", "==", "devel"),
        ("build.toolchain != 'go 1.22'", "build.toolchain", "!=", "go 1.22"),
        ("build.stripped == false", "build.stripped", "==", False),
        ("board.temperature < 80°C", "board.temperature", "<", parse("80°C")),
    ],
)
def test_a_rule_is_subject_operator_value(text, subject, op, value):
    rule = parse_rule(text)
    assert (rule.subject, rule.op, rule.value) == (subject, op, value)
    assert not rule.gained
    assert rule.for_s == 0.0


def test_gained_and_none_are_told_apart_from_zero():
    rule = parse_rule("board.throttled.gained == none")
    assert rule == Rule(
        "board.throttled.gained == none", "board.throttled", "==", None, gained=True
    )


def test_a_state_may_have_to_last():
    rule = parse_rule("workload.dead for 2s")
    assert (rule.subject, rule.op, rule.value, rule.for_s) == ("workload.dead", "is", True, 2.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "load.error_ratoi <= 1%",
            "source `load` has no `error_ratoi`; did you mean `error_ratio`?",
        ),
        ("laod.rps > 3", "unknown source `laod`; did you mean `load`?"),
        ("load.rps = 3", "`=` compares nothing: write `load.rps == 3`"),
        ("load.rps >=", "`load.rps >=` lacks the value to compare with"),
        ("load.rps", "`load.rps` is a value, not a state: compare it, for example `load.rps == 0`"),
        ("rps > 3", "`rps` is not a name of something measured, such as load.error_ratio"),
        ("load.rps > 3M", "`3M` is ambiguous"),
        ("load.rps > none", "`none` has no order: only == and != can compare it"),
        ("workload.dead for 2", "`2` has no unit: write for instance 2s"),
        ("hello world", "`hello world` is not a rule"),
        ("", "`` is not a rule"),
        ("load.rps > load.rsp", "source `load` has no `rsp`; did you mean `rps`?"),
        ("procfs.rrs > 3MB", "source `procfs` has no `rrs`"),
    ],
)
def test_what_is_no_rule_says_what_to_write(text, message):
    with pytest.raises(RuleError) as caught:
        parse_rule(text)
    assert str(caught.value).startswith(message)


def test_sources_whose_names_a_workload_decides_are_open():
    assert parse_rule("stdout.json.anything.at == 3").subject == "stdout.json.anything.at"
    with pytest.raises(RuleError, match=r"source `cgroup` has no `stat\.inactive_anon`"):
        parse_rule("cgroup.stat.inactive_anon < 3MB")
