"""What is declared takes effect, or is refused where it stands: on this machine, as users run it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from runner.store.record import RunFolder
from tests.workers import kernel

pytestmark = [kernel, pytest.mark.timeout(120)]
HEAD = "schema: experiment/1\nname: declared\n"


def outputs(folder: RunFolder) -> dict[str, str]:
    """What each trial's program printed."""
    found = {}
    for trial in folder.manifest.trials:
        events = [e for e in folder.iter_events(trial) if e.kind == "output"]
        found[trial] = "".join(e.text for e in events if e.stream == "stdout")
    return found


def ran(cli, text: str, *words: str, code: int = 0) -> RunFolder:
    said = cli.apply(cli.spec(HEAD + text), *words, code=code)
    return RunFolder.open(Path(said["record"]) if "record" in said else _record(cli, said))


def _record(cli, said) -> Path:
    return next(cli.reports.glob(f"*/{said['run']}"))


def test_limits_of_the_workload_are_in_force(local):
    folder = ran(
        local,
        "workload: {argv: [sh, -c, 'ulimit -a; ulimit -t; ulimit -f'], run: once,\n"
        "  limits: {as: 1GiB, nproc: 77, nofile: 512, cpu: 300s, fsize: 1MiB, core: 0,\n"
        "           stack: {soft: 4MiB, hard: 8MiB}, data: 512MiB}}\n",
    )
    words = {line.split()[0] if line.split() else "": line.split()[-1] for line in
             outputs(folder)["all-r1-a1"].splitlines() if line.strip()}  # fmt: skip
    assert words["process"] == "77"
    assert words["nofiles"] == "512"
    assert words["vmemory(kbytes)"] == "1048576"
    assert words["time(seconds)"] == "300"
    assert words["data(kbytes)"] == "524288"
    assert words["stack(kbytes)"] == "4096"


def test_a_limit_out_of_reach_is_said_before_anything_is_changed(local):
    spec = local.spec(
        f"{HEAD}system: {{sysctl: {{fs.lease-break-time: 44}}}}\n"
        "workload: {argv: ['true'], run: once, limits: {nofile: 2000000000}}\n"
    )
    said = local("apply", str(spec), code=2).stderr
    assert "workload.limits.nofile: 2000000000 is above" in said
    assert "converge" not in said


def test_levels_are_any_text(local):
    long = "x" * 200
    folder = ran(
        local,
        "workload: {argv: [echo, '{flags}'], run: once}\n"
        f"factors: {{flags: ['', '-s -w', 'GET /ping', 'a|b', '大页', '-x', '../..', {long}]}}\n",
    )
    printed = outputs(folder)
    assert len(printed) == 8
    for trial, plan in folder.manifest.trials.items():
        level = plan.treatment["flags"]
        assert printed[trial].strip() == level
    report = (folder.path / "artifacts" / "report.md").read_text()
    for level in ("-s -w", "GET /ping", "大页", long, 'flags=""'):
        assert level in report


def test_sysctl_of_the_machine_is_set_beside_an_isolated_network(local):
    key = Path("/proc/sys/net/core/rmem_max")
    before = key.read_text().strip()
    try:
        key.write_text(before)
    except PermissionError:
        pytest.skip("in a network namespace of its own, where the machine's keys are read-only")
    wanted = "4194304" if before != "4194304" else "4194303"
    try:
        folder = ran(
            local,
            f"system: {{sysctl: {{net.core.rmem_max: {wanted}, net.ipv4.tcp_fin_timeout: 37}}}}\n"
            "workload: {argv: [cat, /proc/sys/net/ipv4/tcp_fin_timeout], run: once, network: isolated}\n",
        )
    finally:
        left, _ = key.read_text().strip(), key.write_text(before)
    assert left == before
    assert outputs(folder)["all-r1-a1"].strip() == "37"
    states = [e for e in folder.iter_events("all-r1-a1") if e.kind == "result"]
    assert [e.id for e in states] == ["sysctl:net.ipv4.tcp_fin_timeout"]
    changes = {c.id: c.after for c in folder.changes if c.phase == "converge"}
    assert changes["sysctl:net.core.rmem_max"] == wanted


FIN = Path("/proc/sys/net/ipv4/tcp_fin_timeout")
IN_A_FACTOR = """\
system: {sysctl: {net.ipv4.tcp_fin_timeout: 37}}
workload: {argv: [cat, /proc/sys/net/ipv4/tcp_fin_timeout, /proc/sys/net/ipv4/tcp_retries2], run: once}
factors:
  fin:
    low: {system: {sysctl: {net.ipv4.tcp_fin_timeout: 31}}}
    high: {system: {sysctl: {net.ipv4.tcp_fin_timeout: 33, net.ipv4.tcp_retries2: 9}}}
    none: {system: {sysctl: null}}
repeat: {between: [2, 2], order: {by: written}}
guards: [host.drift == 0]
"""


def test_each_treatment_runs_in_its_own_state(local):
    before, retries = FIN.read_text().strip(), FIN.with_name("tcp_retries2").read_text().strip()
    folder = ran(local, IN_A_FACTOR, "--twice")
    assert FIN.read_text().strip() == before
    assert FIN.with_name("tcp_retries2").read_text().strip() == retries
    seen = {trial: words.split() for trial, words in outputs(folder).items()}
    assert seen == {
        f"{name}-r{n}-a1": values
        for n in (1, 2)
        for name, values in (
            ("low", ["31", retries]), ("high", ["33", "9"]), ("none", [before, retries]),
        )
    }  # fmt: skip
    kept = folder.manifest.environment["local"]
    assert not [fact for fact in kept.after if fact.startswith("sysctl.net.ipv4.tcp_")]
    name = "sysctl.net.ipv4.tcp_fin_timeout"
    assert kept.treatments["low"][name] == "31"
    assert kept.treatments["high"][name] == "33"
    laid = [c for c in folder.changes if c.phase == "treatment"]
    assert {c.treatment for c in laid} == {"fin=low", "fin=high", "fin=none"} - {"fin=none"}
    # no key is in the base that one of the treatments takes away
    assert not [c for c in folder.changes if c.phase == "converge"]
    checked = [
        e
        for t in folder.manifest.trials
        for e in folder.iter_events(t)
        if e.kind == "state_checked"
    ]
    assert all(not e.drifted for e in checked)


def test_the_base_is_restored_between(local):
    text = IN_A_FACTOR.replace("    none: {system: {sysctl: null}}\n", "")
    folder = ran(local, text)
    back = [c.after for c in folder.changes if c.phase == "base" and "fin_timeout" in c.id]
    assert back == ["37", "37", "37"]
    report = (folder.path / "artifacts" / "report.md").read_text()
    assert "fin=low" in report
    assert "| `sysctl:net.ipv4.tcp_fin_timeout`" in report


def test_trials_of_equal_state_cost_one_change(local):
    text = """\
workload: {argv: [echo, '{word}', '{fin}'], run: once}
system: {sysctl: {net.ipv4.tcp_fin_timeout: '{fin}'}}
factors: {word: [a, b, c], fin: [31, 33]}
repeat: {between: [3, 3], order: {by: blocks, together: state}}
"""
    folder = ran(local, text)
    laid = [c for c in folder.changes if c.phase == "treatment"]
    assert len(laid) <= 6
    order = [t["fin"] for _, t in folder.manifest.order.slots]
    for block in range(3):
        fins = order[block * 6 : block * 6 + 6]
        assert fins in (["31"] * 3 + ["33"] * 3, ["33"] * 3 + ["31"] * 3)


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("{kernel_cmdline: {present: [psi=1]}}", "it takes a reboot"),
        ("{packages: [wrk]}", "packages stay installed"),
        ("{actions: [drop_caches]}", "no state"),
        ("{sysctl: {vm.swappiness: {}}}", "vm.swappiness"),
    ],
)
def test_what_cannot_differ_between_treatments_is_refused_with_a_place(local, level, said):
    spec = local.spec(
        f"{HEAD}workload: {{argv: ['true'], run: once}}\nfactors:\n  f:\n    a: {{system: {level}}}\n    b:\n"
    )
    done = local("apply", str(spec), code=3)
    assert said in done.stderr
    assert "exp.yaml:6:" in done.stderr


def test_check_and_plan_say_what_each_treatment_would_change(local):
    spec = local.spec(HEAD + IN_A_FACTOR)
    before = FIN.read_text()
    said = local("apply", str(spec), "--check").stderr
    assert "(fin=low)" in said
    assert "(fin=high)" in said
    assert FIN.read_text() == before
    planned = local("plan", str(spec)).stdout
    assert "sysctl:net.ipv4.tcp_retries2 (fin=high)" in planned


def test_claims_and_requirements_use_the_facts_in_force(local):
    before = FIN.read_text().strip()
    fact = "sysctl.net.ipv4.tcp_fin_timeout"
    text = f"""\
requires: {{{fact}: 37, arch: {{exists: true}}}}
system: {{sysctl: {{net.ipv4.tcp_fin_timeout: 37}}}}
workload: {{argv: [{json.dumps(sys.executable)}, -c, "print('{{\\"x\\": 1}}')"], run: once}}
factors: {{fin: {{low: {{system: {{sysctl: {{net.ipv4.tcp_fin_timeout: 31}}}}}}, base: }}}}
metrics: {{x: {{from: stdout.json.x, kind: exact}}}}
claims:
  - {{id: a, quote: q, metric: x, where: {{fin: base}}, published: {{value: 1}}, must: [{fact}], declared: {{{fact}: 37}}}}
  - {{id: b, quote: q, metric: x, where: {{fin: low}}, published: {{value: 1}}, must: [{fact}], declared: {{{fact}: 31}}}}
  - {{id: c, quote: q, metric: x, where: {{fin: low}}, published: {{value: 1}}, must: [{fact}], declared: {{{fact}: 37}}}}
"""
    folder = ran(local, text, code=0)
    said = json.loads((folder.path / "artifacts" / "analysis.json").read_text())
    facts = {claim["id"]: tuple(claim["facts"][0]) for claim in said["claims"]}
    assert facts == {
        "a": (fact, "37", "37", True), "b": (fact, "31", "31", True),
        "c": (fact, "37", "31", False),
    }  # fmt: skip
    assert folder.facts["local"][fact] == "37"
    assert folder.manifest.environment["local"].before[fact] == before
    report = (folder.path / "artifacts" / "report.md").read_text()
    assert f"37 (before: {before})" in report


def test_a_fact_needs_its_own_name(local):
    spec = local.spec(
        f"{HEAD}workload: {{argv: ['true'], run: once}}\nmetrics: {{x: workload.exit_code}}\nclaims:\n"
        "  - {id: b, quote: q, metric: x, published: {value: 1}, must: [vm.swappiness]}\n"
    )
    said = local("apply", str(spec), code=3).stderr
    assert "the fact `sysctl.vm.swappiness`" in said
    assert "exp.yaml:6:" in said


OVER = """\
system: {{sysctl: {{net.ipv4.tcp_fin_timeout: 37}}}}
workload:
  argv: [{python}, -c, "{code}"]
  run: once
  cgroup: {{memory.max: 64MiB}}
  limits: {{nofile: 900}}
factors:
  w:
    a:
      system: {{sysctl: {{net.ipv4.tcp_fin_timeout: 31}}}}
      workload: {{cgroup: {{memory.max: 32MiB}}, limits: {{nofile: 800}}}}
    b: {{system: {{sysctl: {{net.ipv4.tcp_retries2: 9}}, files: {{{file}: {{content: bb}}}}}}}}
    c: {{}}
repeat: {{between: [2, 2], order: {{by: written}}}}
guards: [host.drift == 0]
metrics: {{limit: {{from: cgroup.limit, unit: MiB}}}}
"""


def test_a_treatments_state_stays_while_its_group_is_made(local, tmp_path):
    """Making a trial's control group put back the sysctls and files of its treatment."""
    file = tmp_path / "f"
    file.write_bytes(b"one\\r\\nno end")
    retries = FIN.with_name("tcp_retries2").read_text().strip()
    code = (
        "import resource, time; p = '/proc/sys/net/ipv4/tcp_'; "
        "print(*(open(n).read().strip() for n in (p + 'fin_timeout', p + 'retries2')), "
        f"open('{file}').read(2), resource.getrlimit(resource.RLIMIT_NOFILE)[0]); time.sleep(1.2)"
    )
    text = OVER.format(python=json.dumps(sys.executable), code=code, file=file)
    folder = ran(local, text, "--twice")
    seen = {trial: words.split() for trial, words in outputs(folder).items()}
    assert seen == {
        f"{name}-r{n}-a1": values
        for n in (1, 2)
        for name, values in (
            ("a", ["31", retries, "on", "800"]),
            ("b", ["37", "9", "bb", "900"]),
            ("c", ["37", retries, "on", "900"]),
        )
    }
    assert file.read_bytes() == b"one\\r\\nno end"
    found = json.loads((folder.path / "artifacts" / "analysis.json").read_text())
    limits = {e["treatment"]["w"]: e["median"] for e in found["estimates"]}
    assert limits == {"a": 32 << 20, "b": 64 << 20, "c": 64 << 20}
