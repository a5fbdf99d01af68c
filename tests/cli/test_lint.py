"""`lint`: findings, exit codes, and the facts of a host."""

import json

import pytest

from tests.cli.command import FIRST, copied, runner

SPEC = """\
schema: experiment/1
name: many
hosts: {server: local}
workload: {argv: ["./server", "{port}"], cgroup: {memory.max: 1000000GiB}}
load:
  url: "http://127.0.0.1:{port}/"
  threads: 512
  connections: 1024
  warmup: 5s
healthy: [load.error_ratio <= 1%]
guards: [load.cpu <= 85%]
repeat: 7
metrics: {rps: load.rps}
claims:
  - {id: "1", quote: "1000/s", metric: rps, published: {low: 900, high: 1100},
     must: [board.model], declared: {board.model: Raspberry Pi 4 Model B}}
"""
OF_A_HOST = {"memory-exceeds-board", "threads-exceed-cores", "another-board"}


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "many.yaml"
    file.write_text(SPEC)
    return file


def rules(*words, **options):
    (one,) = json.loads(runner("lint", *words, "--json", code=None, **options).stdout)
    return {found["rule"]: found["message"] for found in one["findings"]}


def test_plain_lint_asks_no_host(spec):
    assert not OF_A_HOST & set(rules(spec))


def test_a_named_host_is_asked(spec, tmp_path):
    found = rules(spec, "-H", "local", "--state-dir", tmp_path / "state")
    assert {"memory-exceeds-board", "threads-exceed-cores"} <= set(found)
    assert "512 threads on" in found["threads-exceed-cores"]


def test_facts_of_a_recorded_run(spec, tmp_path):
    reports = copied(tmp_path)
    file = reports / "sizes" / FIRST / "facts.json"
    known = json.loads(file.read_text())
    known["local"] |= {
        "board.model": "Raspberry Pi 5 Model B Rev 1.0", "cpu.count": 4,
        "memory.total_bytes": 8_000_000_000, "limits.nofile_hard": 1024,
    }  # fmt: skip
    file.write_text(json.dumps(known))
    found = rules(spec, "--facts", FIRST, reports=reports)
    assert set(found) >= {*OF_A_HOST, "nofile-too-low"}
    assert "the host allows 1024" in found["nofile-too-low"]
    assert "this host is a Raspberry Pi 5 Model B Rev 1.0" in found["another-board"]
    assert "512 threads on 4 cores" in found["threads-exceed-cores"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--facts", FIRST, "-H", "local"), 3, "both name a host"),
        (("--facts", "absent"), 2, "no run `absent`"),
        (("-H", "no-such-host.invalid"), 4, "no-such-host.invalid"),
    ],
)
def test_facts_that_cannot_be_had(spec, words, code, said):
    assert said in runner("lint", spec, *words, code=code).stderr


def test_exit_codes(spec, tmp_path):
    text = runner("lint", spec, code=0).stdout
    assert "nothing found" not in text
    runner("lint", spec, "--strict", code=1)
    spec.write_text(SPEC.replace("repeat: 7", "repeat: 1"))
    assert "[no-repetitions]" in runner("lint", spec, code=1).stdout
