"""sysbench, iperf3 and fio: numbers of what the real ones printed, recorded and of today."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.kinds.sources import parsers
from runner.kinds.sources.interface import Printed
from runner.kinds.units import unit_of

RECORDED = Path(__file__).parent / "recorded"


def read(family: str, text: str):
    return parsers()[family].parse(Printed(stdout=text))


def recorded(family: str, name: str):
    return read(family, (RECORDED / name).read_text(encoding="utf-8"))


def ran(*argv: str, cwd: Path) -> str:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    done = subprocess.run(argv, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)
    return done.stdout


def test_memory_of_sysbench_is_bytes_per_second():
    found = recorded("sysbench", "sysbench-memory.txt").numbers
    assert found["sysbench.throughput"] == pytest.approx(7098.89 * 2**20)
    assert found["sysbench.events"] == 7277284
    assert found["sysbench.events_per_s"] == pytest.approx(7277284 / 1.0001)
    assert unit_of("sysbench.throughput") == "MiB/s"


def test_a_latency_printed_as_0_00_is_null_and_not_0():
    found = recorded("sysbench", "sysbench-memory.txt")
    assert found.numbers["sysbench.latency_mean"] is None
    assert "below 5 µs" in found.why["sysbench.latency_mean"]
    assert found.numbers["sysbench.latency_max"] == pytest.approx(3.04e-3)


def test_files_of_sysbench():
    found = recorded("sysbench", "sysbench-fileio.txt").numbers
    assert found["sysbench.read"] == pytest.approx(274.54 * 2**20)
    assert found["sysbench.fsyncs_per_s"] == 1172.37
    assert found["sysbench.latency_p95"] == pytest.approx(2e-5)


def test_what_a_test_does_not_print_says_so():
    found = recorded("sysbench", "sysbench-cpu.txt")
    assert found.numbers["sysbench.latency_p95"] == pytest.approx(3.4e-4)
    assert found.numbers["sysbench.read"] is None
    assert found.why["sysbench.read"] == "this test of sysbench prints no such line"


def test_other_text_is_no_sysbench():
    found = read("sysbench", "General statistics:\n    total time:  1.0s\n")
    assert not found.numbers
    assert "no summary" in found.why["sysbench"]


def test_sysbench_of_today(tmp_path):
    text = ran("sysbench", "--time=1", "--percentile=99", "cpu", "run", cwd=tmp_path)
    found = read("sysbench", text).numbers
    assert found["sysbench.events_per_s"] > 10
    assert 0 < found["sysbench.latency_min"] <= found["sysbench.latency_p99"]
    assert found["sysbench.latency_p95"] is None


def test_datagrams_of_iperf3_have_jitter_and_loss_and_no_retransmits():
    found = recorded("iperf3", "iperf3-udp.json")
    assert found.numbers["iperf3.received"] == pytest.approx(10221203.795904167 / 8)
    assert found.numbers["iperf3.jitter"] == pytest.approx(1.450242888854291e-05)
    assert found.numbers["iperf3.packets"] == 39
    assert found.numbers["iperf3.lost_ratio"] == 0
    assert found.numbers["iperf3.retransmits"] is None
    assert unit_of("iperf3.received") == "Mbit/s"


def test_both_ways_of_iperf3():
    found = recorded("iperf3", "iperf3-bidir.json").numbers
    assert found["iperf3.sent"] == pytest.approx(2086541047.5371478 / 8)
    assert found["iperf3.received_reverse"] == pytest.approx(19054080817.54549 / 8)
    assert found["iperf3.cpu_there"] == pytest.approx(0.985819102099076)
    assert found["iperf3.jitter"] is None


def test_a_refused_iperf3_has_no_numbers_and_its_reason(tmp_path):
    text = ran("iperf3", "-c", "127.0.0.1", "-p", "1", "-J", "-t", "1", cwd=tmp_path)
    found = read("iperf3", text)
    assert not found.numbers
    assert "Connection refused" in found.why["iperf3"]


def test_reads_and_writes_of_fio():
    found = recorded("fio", "fio-randrw.json")
    assert found.numbers["fio.read.bandwidth"] == 53812683
    assert found.numbers["fio.write.iops"] == pytest.approx(13158.841159)
    assert found.numbers["fio.read.latency_p99"] == pytest.approx(164864e-9)
    assert found.numbers["fio.read.latency_mean"] == pytest.approx(54854.692191e-9)
    assert found.numbers["fio.trim.iops"] is None
    assert found.why["fio.trim.iops"] == "the jobs did no trims"
    assert unit_of("fio.read.bandwidth") == "MB/s"


def test_latencies_of_several_jobs_do_not_add_up():
    said = json.loads((RECORDED / "fio-randrw.json").read_text(encoding="utf-8"))
    said["jobs"] *= 2
    found = read("fio", json.dumps(said))
    assert found.numbers["fio.read.bandwidth"] == 2 * 53812683
    assert found.numbers["fio.read.latency_max"] == pytest.approx(3109136e-9)
    assert found.numbers["fio.read.latency_p99"] is None
    assert "--group_reporting" in found.why["fio.read.latency_p99"]


def test_a_job_that_failed_leaves_no_number():
    said = json.loads((RECORDED / "fio-randrw.json").read_text(encoding="utf-8"))
    said["jobs"][0]["error"] = 28
    found = read("fio", json.dumps(said))
    assert not found.numbers
    assert found.why["fio"] == "job j failed: error 28"


def test_fio_of_today(tmp_path):
    text = ran("fio", "--name=j", "--rw=randread", "--bs=4k", "--size=1M", "--lat_percentiles=1",
               "--filename=file", "--output-format=json", cwd=tmp_path)  # fmt: skip
    found = read("fio", text).numbers
    assert found["fio.read.operations"] == 256
    assert found["fio.read.bytes"] == 1 << 20
    assert 0 < found["fio.read.latency_min"] <= found["fio.read.latency_p50"]
    assert found["fio.read.latency_p50"] <= found["fio.read.latency_max"]
