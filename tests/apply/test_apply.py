"""The main job as users run it: over both transports, and whatever way it ends."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from runner.store.record import RunFolder
from tests.apply.conftest import KEY, ROOT, groups
from tests.apply.specs import HEALTHY, running, spec

pytestmark = [
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.timeout(180),
]


GO = """\
schema: experiment/1
name: go-server
hosts: {server: local}
build: {go: "1.22.10", package: PACKAGE, env: {CGO_ENABLED: "0"}}
workload:
  argv: ["{binary}", -listen, "127.0.0.1:{port}"]
  cgroup: {memory.max: 32MiB}
  ready: {http: "http://127.0.0.1:{port}/ping"}
  network: isolated
load:
  url: "http://127.0.0.1:{port}/ping"
  steps:
    - {connections: 8, duration: 1s}
    - {connections: 16, duration: 1s}
healthy: [load.error_ratio <= 0.001, load.established == load.opened, workload.alive]
metrics:
  size: {from: build.size, kind: exact, unit: MB}
  rss: {from: procfs.rss, per: step, unit: MiB}
claims:
  - {id: a, quote: small, metric: size, published: {low: 1MB, high: 50MB}}
  - {id: b, quote: huge, metric: size, published: {value: 500MB}}
  - {id: c, quote: elsewhere, metric: size, published: {value: 5MB}, must: [board.model],
     declared: {board.model: no such board}}
  - {id: d, quote: a design statement, testable: false, why: nothing to measure}
"""


def test_go_server_from_source_to_verdicts(cli, unchanged):
    """Build with an exact Go, run in a 32 MiB group, load by wrk, report, verdicts."""
    shutil.copytree(
        ROOT / "experiments/published/go-under-32mb/workloads", cli.folder / "workloads"
    )
    text = GO.replace("PACKAGE", "./workloads/pingserver")
    found = cli.apply(cli.spec(text))
    (trial,) = found["trials"]
    assert [step["outcome"] for step in trial["steps"]] == ["healthy", "healthy"]
    for step in trial["steps"]:
        numbers = step["numbers"]
        assert numbers["load.requests"] > 0
        assert numbers["load.established"] == step["connections"] == numbers["load.opened"]
        assert 1 << 20 < numbers["procfs.rss"] < 32 << 20
        assert 0 < numbers["cgroup.peak"] <= 32 << 20
    verdicts = {claim["id"]: claim["verdict"] for claim in found["claims"]}
    assert verdicts == {
        "a": "reproduced", "b": "contradicted", "c": "not comparable", "d": "not testable",
    }  # fmt: skip
    report = Path(found["report"])
    text = report.read_text()
    assert "# " in text
    assert "contradicted" in text
    assert list(report.parent.glob("figures/*.svg"))


@pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed")
def test_h2load_gives_the_latency_of_every_request(cli, unchanged):
    """Raw and corrected views from its log, and Little's law, per step."""
    text = spec(more=HEALTHY + "  - load.latency_raw_p99 <= 5s\n").replace(
        "\nload:\n", "\nload:\n  generator: h2load\n  warmup: 1s\n"
    )
    text = text.replace("duration: 1s}", "duration: 1s}\n    - {connections: 8, duration: 1s}")
    found = cli.apply(cli.spec(text))
    (trial,) = found["trials"]
    assert [step["outcome"] for step in trial["steps"]] == ["healthy", "healthy"], trial
    for event in RunFolder.open(Path(found["report"]).parents[1]).iter_events("all-r1-a1"):
        if event.kind == "step_ended":
            assert sum(event.log.per_s) == event.log.rows
            assert 1 <= len(event.log.per_s) <= 4
    for step in trial["steps"]:
        numbers = step["numbers"]
        assert numbers["load.requests"] > 0
        assert 0 < numbers["load.latency_raw_p50"] <= numbers["load.latency_raw_p99"]
        # what is filled in lies below what it was made of: the slowest stays the slowest
        assert numbers["load.latency_corrected_max"] == numbers["load.latency_raw_max"]
        assert numbers["load.littles_law"] == pytest.approx(1, abs=0.3)


def test_report_is_rebuilt_byte_for_byte_offline(local, unchanged):
    """`runner report` gives the same bytes from the record alone."""
    found = local.apply(local.spec(spec()))
    report = Path(found["report"])
    before = {path: path.read_bytes() for path in report.parent.rglob("*") if path.is_file()}
    for path in before:
        path.unlink()
    local("report", str(report.parents[1]))
    assert {p: p.read_bytes() for p in report.parent.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("refuse", "load.error_ratio <= 0.001"),
        ("hang", "load.error_ratio <= 0.001"),
        ("die", "workload.alive"),
        ("leak", "workload.alive"),
    ],
)
def test_bad_server_is_never_healthy(local, unchanged, how, rule):
    """503s, silence, death and a leak into the limit are unhealthy, with the rule that failed."""
    found = local.apply(local.spec(spec(how, seconds=2)), code=None)
    (trial,) = found["trials"]
    assert trial["outcome"] == "unhealthy"
    (step,) = trial["steps"]
    assert step["outcome"] == "unhealthy"
    assert rule in step["failed"]


def test_server_that_never_gets_ready_is_an_error(local, unchanged):
    """No readiness: the trial is an error, exit 2, and everything is put back."""
    text = spec("never").replace("within: 5s", "within: 1s")
    found = local.apply(local.spec(text), code=2)
    (trial,) = found["trials"]
    assert trial["outcome"] == "error"
    assert "ready" in trial["why"]


def test_no_health_rules_still_notice_a_death(local, unchanged):
    """A server that dies is unhealthy even where no rule asks for it."""
    found = local.apply(local.spec(spec("die", seconds=2, more="")), code=None)
    assert found["trials"][0]["outcome"] == "unhealthy"


def test_state_alone(cli, unchanged):
    """A spec with `system` alone is applied, reported and restored."""
    text = spec().split("workload:", maxsplit=1)[0]
    found = cli.apply(cli.spec(text))
    (counts,) = found["hosts"].values()
    assert counts["changed"] == 1
    assert counts["restored"] == 1
    assert counts["failed"] == 0
    assert Path(found["report"]).is_file()


def test_check_changes_nothing_and_says_what_would(cli, unchanged):
    """`--check` says `would change a → b`, and the second run says the same."""
    before = KEY.read_text().strip()
    for _ in range(2):
        done = cli("apply", str(cli.spec(spec())), "--check")
        assert f"would change {before} → " in done.stderr
    assert not cli.reports.exists()


def test_keep_leaves_the_state_and_restore_undoes_it(cli, unchanged):
    """`--keep`, then `runner restore` on a later day."""
    before = KEY.read_text()
    text = spec().split("workload:", maxsplit=1)[0]
    done = cli("apply", str(cli.spec(text)), "--keep")
    assert "runner restore" in done.stderr
    assert KEY.read_text() != before
    cli("restore")
    assert KEY.read_text() == before


def test_twice_changes_nothing_the_second_time(cli, unchanged):
    """`--twice` converges again with zero changes."""
    text = spec().split("workload:", maxsplit=1)[0]
    found = cli.apply(cli.spec(text), "--twice")
    (counts,) = found["hosts"].values()
    assert counts["changed"] == 1
    assert counts["ok"] >= 1


def test_interrupt_restores_and_exits_99(cli, unchanged):
    """Ctrl-C in the middle of a load step: stopped, restored, reported, 99."""
    file = cli.spec(spec(seconds=30))
    process = cli.start("apply", str(file))
    running(process, lambda: groups(cli.folder))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 99, said
    assert "Traceback" not in said
    (run,) = (cli.reports / "small").iterdir()
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"


def test_killed_controller_is_undone_by_restore(cli, unchanged):
    """kill -9 of the controller in the middle of a trial, then `runner restore`."""
    file = cli.spec(spec(seconds=3))
    value = KEY.read_text()
    process = cli.start("apply", str(file))
    running(process, lambda: groups(cli.folder))
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()
    assert KEY.read_text() != value
    cli("restore")


def test_same_experiment_over_ssh_gives_the_same_report(local, ssh, unchanged):
    """But for the transport and the measured numbers: same sections, same outcomes."""

    def shape(cli):
        report = Path(cli.apply(cli.spec(spec()))["report"]).read_text()
        return [line for line in report.splitlines() if line.startswith("#")]

    assert shape(local) == shape(ssh)
