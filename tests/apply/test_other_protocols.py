"""Servers of other protocols than HTTP, and programs that end, by the tools that measure them."""

from __future__ import annotations

import json
import shutil

import pytest

REDIS = """\
schema: experiment/1
name: redis
workload:
  argv: [redis-server, --port, "{port}", --save, "", --daemonize, "no"]
  ready: {tcp: "127.0.0.1:{port}", within: 10s}
  network: isolated
load:
  generator: redis_benchmark
  url: "tcp://127.0.0.1:{port}"
  argv: [-t, get, -n, "5000"]
  connections: 5
  measure: 10s
healthy: [load.error_ratio == 0, load.latency_p99 <= 1s]
metrics:
  rps: {from: load.rps}
  p99: {from: load.latency_p99, unit: ms}
"""
IPERF = """\
schema: experiment/1
name: network
workload:
  argv: [iperf3, -s, -p, "{port}"]
  ready: {listening: true}
  network: isolated
load: {generator: iperf3, url: "tcp://127.0.0.1:{port}", connections: 2, measure: 1s}
healthy: [load.error_ratio == 0]
metrics:
  received: {from: iperf3.received}
  retransmits: {from: iperf3.retransmits}
"""
FIO = """\
schema: experiment/1
name: files
workload:
  argv: [fio, --name=j, --rw=randread, --bs=4k, --size=1M, "--filename={dir}/file",
         --output-format=json]
  run: once
metrics:
  iops: {from: fio.read.iops}
  p99: {from: fio.read.latency_p99, unit: us}
"""


def needs(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def medians(local, name: str) -> dict[str, float]:
    (folder,) = (local.reports / name).glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    return {item["metric"]: item["median"] for item in analysis["estimates"]}


def test_a_redis_is_measured(local):
    needs("redis-server", "redis-benchmark")
    file = local.spec(REDIS)
    plan = local("plan", str(file)).stdout
    assert "redis-benchmark -t get -n 5000" in plan
    local.apply(file)
    found = medians(local, "redis")
    assert found["rps"] > 100
    assert 0 < found["p99"] < 1


def test_a_redis_without_memory_is_unhealthy_and_not_invalid(local):
    needs("redis-server", "redis-benchmark")
    text = REDIS.replace('"no"', '"no", --maxmemory, "1"').replace("get", "set")
    found = local.apply(local.spec(text), code=None)
    (trial,) = found["trials"]
    assert trial["outcome"] == "unhealthy"


def test_a_network_is_measured(local):
    needs("iperf3")
    local.apply(local.spec(IPERF))
    assert medians(local, "network")["received"] > 1e6


def test_a_socket_needs_a_port_to_be_looked_for(local):
    text = IPERF.replace("{port}", "9009").replace('url: "tcp://127.0.0.1:9009", ', "")
    text = text.replace("generator: iperf3,", "generator: none,").replace(
        "load.error_ratio == 0", "workload.alive"
    )
    done = local("apply", str(local.spec(text)), code=3)
    assert "nothing says the workload's port" in done.stderr
    assert "workload.port" in done.stderr


def test_a_trial_that_ends_in_error_is_not_printed_as_healthy(local):
    text = IPERF.replace("iperf3, -s, -p,", 'sleep, "60", ').replace(
        "true}", "true, within: 300ms}"
    )
    text = text.replace("generator: iperf3,", "generator: none,").replace(
        "load.error_ratio == 0", "workload.alive"
    )
    text = text.replace("iperf3.received", "procfs.rss").replace(
        "iperf3.retransmits", "procfs.threads"
    )
    done = local("apply", str(local.spec(text)), code=2)
    said = done.stderr + done.stdout
    assert "error     " in said
    assert "nobody listens on port" in said
    assert "healthy" not in said


def test_fio_is_a_program_that_ends(local):
    needs("fio")
    local.apply(local.spec(FIO))
    found = medians(local, "files")
    assert found["iops"] > 10
    assert 0 < found["p99"] < 10


def test_energy_is_measured_or_said_to_be_absent(local):
    text = FIO.replace("name: files", "name: energy").replace(
        "iops: {from: fio.read.iops}", "joules: {from: energy.joules, unit: J}"
    )
    needs("fio")
    local.apply(local.spec(text))
    (folder,) = (local.reports / "energy").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    (joules,) = [item for item in analysis["estimates"] if item["metric"] == "joules"]
    if joules["median"] is None:
        assert "no energy counter, no power sensor" in joules["why"]
    else:
        assert joules["median"] > 0
