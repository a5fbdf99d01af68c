"""What is declared takes effect, or is refused where it stands: on this machine, as users run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.store.record import RunFolder

pytestmark = pytest.mark.timeout(120)
HEAD = "schema: experiment/1\nname: declared\n"


def outputs(folder: RunFolder) -> dict[str, str]:
    """What each trial's program printed."""
    found = {}
    for trial in folder.manifest["trials"]:
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
    for trial, plan in folder.manifest["trials"].items():
        level = plan["treatment"]["flags"]
        assert printed[trial].strip() == level
    report = (folder.path / "artifacts" / "report.md").read_text()
    for level in ("-s -w", "GET /ping", "大页", long, 'flags=""'):
        assert level in report


def test_several_servers_are_refused_with_a_place(local):
    spec = local.spec(
        f"{HEAD}hosts: {{server: [a, b]}}\nworkload: {{argv: [hostname], run: once}}\n"
    )
    said = local("apply", str(spec), code=3).stderr
    assert "exp.yaml:3:21: one server is measured at a time, and `b` would not be" in said


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
    changes = {c["id"]: c["after"] for c in folder.changes if c["phase"] == "converge"}
    assert changes["sysctl:net.core.rmem_max"] == wanted
