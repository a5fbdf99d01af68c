"""The small commands: lint, explain, hosts, doctor, init, site, status."""

import json

import pytest

from runner.analysis.runs.doctor import examine
from runner.cli.init import KINDS
from tests.cli.command import SPEC, copied, runner

INVENTORY = """\
hosts:
  pi4: {address: 192.0.2.10, user: pi, become: true, vars: {token: hidden-value}}
  pi5: {address: 192.0.2.11, port: 2222}
groups:
  lab: {hosts: [pi4, pi5], vars: {governor: performance}}
  fast: {hosts: [pi5]}
"""


def test_lint_fails_on_errors_and_strictly_on_warnings(tmp_path):
    spec = tmp_path / "one.yaml"
    spec.write_text(SPEC.read_text().replace("repeat: 6", "repeat: 1"))
    done = runner("lint", spec, code=1)
    assert "[no-repetitions]" in done.stdout
    found = json.loads(runner("lint", spec, "--json", code=1).stdout)[0]["findings"]
    assert "error" in {one["severity"] for one in found}
    excused = spec.read_text() + "lint: {ignore: {no-repetitions: it is a demonstration}}\n"
    spec.write_text(excused)
    assert "no-repetitions" not in runner("lint", spec, code=None).stdout
    shown = runner("lint", spec, "--all", code=None).stdout
    assert "ignored: it is a demonstration" in shown


def test_explain_says_why_and_hints_at_the_nearest():
    assert "Why:" in runner("explain", "no-repetitions").stdout
    assert "did you mean no-repetitions?" in runner("explain", "no-repetition", code=3).stderr
    assert len(runner("explain").stdout.splitlines()) > 20


def test_hosts_lists_ways_and_never_values(tmp_path):
    file = tmp_path / "hosts.yaml"
    file.write_text(INVENTORY)
    done = runner("hosts", "-i", file)
    assert "pi4  ssh pi@192.0.2.10  become  groups: lab  vars: governor, token" in done.stdout
    assert "hidden-value" not in done.stdout
    rows = json.loads(runner("hosts", "fast", "-i", file, "--json").stdout)
    assert [row["name"] for row in rows] == ["pi5"]
    assert "no inventory" in runner("hosts", cwd=tmp_path / "..").stderr


def test_doctor_on_this_machine(tmp_path):
    said = json.loads(runner("doctor", "--json", "--state-dir", tmp_path, code=None).stdout)
    names = {check["name"] for check in said["local"]}
    assert {"python", "root", "free", "wrk", "open files"} <= names


PI = {
    "python.version": "3.11.2", "cgroup.version": 2, "cgroup.memory": False,
    "kernel.cmdline_file": "/boot/firmware/cmdline.txt", "limits.nofile_hard": 1024,
    "tools": {"sudo": "/usr/bin/sudo", "ip": "/sbin/ip"}, "packages.manager": "apt",
    "board.throttled": 0x50005, "cpu.governor": "ondemand", "thermal.zones_c": {"cpu": 81.0},
    "swap.devices": [{"path": "/var/swap"}], "load.1m": 3.0, "cpu.count": 4, "psi": False,
    "absent": {"cgroup.memory": "the kernel was started with cgroup_disable=memory"},
}  # fmt: skip


def test_doctor_of_a_fresh_raspberry_pi():
    found = {check.name: check for check in examine(PI, root=False, journal_entries=3, name="pi4")}
    lacking = [name for name, check in found.items() if check.level == "lacking"]
    assert set(lacking) == {"root", "free", "memory controller", "wrk", "open files", "throttling"}
    assert "/boot/firmware/cmdline.txt" in found["memory controller"].fix
    assert "cgroup_enable=memory" in found["memory controller"].fix
    assert "become: true" in found["root"].fix
    assert found["free"].fix == "runner restore pi4"
    assert found["wrk"].fix.startswith("sudo apt install wrk")
    assert found["throttling"].found == (
        "under-voltage, throttled, under-voltage has occurred, was throttled"
    )
    assert all(check.fix for check in found.values() if check.level != "ok")


def test_doctor_of_a_good_host():
    good = {
        **PI, "cgroup.memory": True, "limits.nofile_hard": 65536, "board.throttled": 0,
        "tools": {"wrk": "/usr/bin/wrk", "h2load": "/usr/bin/h2load", "ip": "/sbin/ip"},
        "cpu.governor": ["performance"], "thermal.zones_c": {"cpu": 45.0}, "swap.devices": [],
        "load.1m": 0.1, "psi": True, "absent": {},
    }  # fmt: skip
    assert {check.level for check in examine(good, root=True)} == {"ok"}


def test_doctor_of_nothing_known():
    assert examine({}, root=True)


def test_init_writes_a_valid_spec_once(tmp_path):
    file = tmp_path / "new" / "exp.yaml"
    runner("init", file)
    runner("validate", file)
    assert "there already" in runner("init", file, code=3).stderr
    file.write_text("x")
    runner("init", file, "--force")
    done = runner("lint", file, "--strict", code=None)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", [*KINDS])
def test_init_from_each_kind_validates_and_lints_clean(tmp_path, kind):
    file = tmp_path / "experiment.yaml"
    runner("init", "--from", kind, file)
    runner("validate", file)
    assert runner("lint", file, "--strict").returncode == 0


def test_init_from_a_kind_does_not_replace_a_file_beside_the_spec(tmp_path):
    (tmp_path / "server").mkdir()
    mine = tmp_path / "server" / "main.go"
    mine.write_text("mine")
    error = runner("init", "--from", "go", tmp_path / "new.yaml", code=3).stderr
    assert "main.go: there already" in error
    assert mine.read_text() == "mine"
    assert not (tmp_path / "new.yaml").exists()


def test_site_of_recorded_runs(tmp_path):
    reports = copied(tmp_path)
    for run in (reports / "sizes").iterdir():
        runner("report", run, reports=reports)
    runner("claims", SPEC, "--markdown", reports=reports)
    index = runner("site", "-o", tmp_path / "site", reports=reports).stdout.strip()
    assert index == str(tmp_path / "site" / "index.html")
    assert (tmp_path / "site" / "CLAIMS.html").is_file()
    runner("site", "-o", reports, reports=reports, code=2)
    runner("site", reports=tmp_path / "absent", code=2)


def test_resume_before_the_spec_takes_it_for_the_spec(tmp_path):
    spec = tmp_path / "exp.yaml"
    spec.write_text(
        "schema: experiment/1\nname: nothing-yet\nworkload: {argv: [echo, a], run: once}\n"
    )
    said = runner("apply", "--resume", spec, reports=tmp_path / "reports", code=2).stderr
    assert "unfinished" in said or "no run" in said


def test_no_spec_is_said():
    assert "no spec is named" in runner("apply", code=3).stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("repeat: three", "a number of repetitions, as `repeat: 6`"),
        ('healthy: ["load.rps => 5/s"]', "write `load.rps >= 5/s`"),
        ('healthy: ["load.rps =< 5/s"]', "write `load.rps <= 5/s`"),
        ('healthy: ["workload.exit_code = 0"]', "write `workload.exit_code == 0`"),
    ],
)
def test_slips_are_answered_with_what_was_meant(tmp_path, line, said):
    spec = tmp_path / "exp.yaml"
    spec.write_text(f"schema: experiment/1\nworkload: {{argv: [echo, a], run: once}}\n{line}\n")
    assert said in runner("validate", spec, code=3).stdout + runner("validate", spec, code=3).stderr
