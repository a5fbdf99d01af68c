"""Executables and finished runs; leases; what the host says of itself."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.host import boot
from runner.host.facts import board, kernel
from runner.host.facts.builder import Facts
from runner.host.state import journal
from tests.host import snapshot
from tests.host.agent import Host, pseudo, python
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable

SOMAXCONN = "/proc/sys/net/core/somaxconn"
DATA = os.urandom(3_000_000)
SHA = hashlib.sha256(DATA).hexdigest()
PUT = {"program": "put", "sha256": SHA, "size": len(DATA)}


def journal_of(host: Host) -> Path:
    return host.state / "journal.jsonl"


# put and forget


def test_a_blob_arrives_whole_and_executable_once(host: Host) -> None:
    answer = host.ask(PUT, boot.frame(DATA))
    assert [e["event"] for e in answer.events] == ["need_agent", "need_blob", "blob", "end"]
    path = host.state / "blobs" / SHA
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o700
    again = host.ask(PUT)
    assert [e["event"] for e in again.events] == ["blob", "end"]
    assert again.only("blob")["sent"] is False


@pytest.mark.parametrize(
    "sent",
    [boot.frame(DATA)[:-1], boot.frame(DATA[:-1]), b"", boot.frame(DATA)[:-1] + b"?"],
    ids=["cut", "another", "nothing", "damaged"],
)
def test_a_cut_or_damaged_blob_leaves_nothing(host: Host, sent: bytes) -> None:
    assert host.ask(PUT, sent).error == "bad_program"
    assert list((host.state / "blobs").iterdir()) == []


@pytest.mark.parametrize(
    "bad", [{"sha256": "../x"}, {"sha256": SHA.upper()}, {"size": -1}, {"size": "1"}]
)
def test_a_blob_is_named_by_its_hash_alone(host: Host, bad: dict[str, Any]) -> None:
    assert host.ask({**PUT, **bad}, boot.frame(DATA)).error == "bad_program"
    assert not (host.state / "blobs").exists()


def test_a_folder_that_nothing_may_be_run_from_takes_no_program(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a mount needs root")
    state = tmp_path / "state"
    state.mkdir()
    mount = 'mount -t tmpfs -o noexec none "$0" && exec "$@"'
    host = Host(state, ("unshare", "--mount", "sh", "-c", mount, str(state)))
    assert host.probe().end["ok"]
    answer = host.ask(PUT, boot.frame(DATA))
    assert answer.error == "bad_program"
    assert "noexec" in answer.end["error"]["message"]
    assert "state in hosts.yaml" in answer.end["error"]["fix"]


def test_forget_removes_a_finished_run_only(net: Host) -> None:
    forget = {"program": "forget"}
    folder = net.state / "runs" / net.run / "t1"
    assert net.ask(forget).error == "not_found"
    folder.mkdir(parents=True)
    (folder / "spool.jsonl").write_text('{"event":"end","at":1}\n')
    net.converge(pseudo(SOMAXCONN, "1234"))
    assert net.ask(forget).error == "busy"
    assert net.ask(forget, run="../../etc").error == "bad_program"
    net.restore()
    assert net.ask(forget).only("forgotten")["run"] == net.run
    assert not folder.parent.exists()


def test_status_lists_hold_journal_and_trials(net: Host) -> None:
    folder = net.state / "runs" / "r0" / "t1"
    folder.mkdir(parents=True)
    (folder / "spool.jsonl").write_text('{"event":"end","at":1.5}\n{"event":"torn')
    net.converge(pseudo(SOMAXCONN, "1234"))
    status = net.ask({"program": "status"}).only("status")
    assert status["hold"]["run"] == net.run
    assert status["alive"] is True
    assert status["journal"] == {"entries": 1, "runs": [net.run], "damaged": []}
    (trial,) = status["trials"]
    assert (trial["run"], trial["trial"], trial["last"], trial["running"]) == (
        "r0",
        "t1",
        "end",
        False,
    )


# the lease


def test_a_host_nobody_speaks_to_restores_itself(net: Host) -> None:
    before = snapshot.keys(net, [SOMAXCONN])
    net.converge(pseudo(SOMAXCONN, "1234"), hold={"controller": "gone", "lease_s": 1})
    assert snapshot.keys(net, [SOMAXCONN]) == {SOMAXCONN: "1234\n"}
    until(lambda: not journal_of(net).exists())
    assert snapshot.keys(net, [SOMAXCONN]) == before
    said = [json.loads(line) for line in (net.state / "lease.jsonl").read_text().splitlines()]
    assert [(e["event"], e.get("outcome")) for e in said] == [
        ("lease_ended", None),
        ("result", "restored"),
    ]


def test_a_host_that_is_spoken_to_keeps_its_state(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "1234"), hold={"controller": "here", "lease_s": 1.5})
    end = time.monotonic() + 3
    while time.monotonic() < end:
        net.probe()
    assert snapshot.keys(net, [SOMAXCONN]) == {SOMAXCONN: "1234\n"}
    assert net.restore().outcomes == {SOMAXCONN: "restored"}


def test_another_run_does_not_keep_a_lease_alive(net: Host) -> None:
    net.converge(pseudo(SOMAXCONN, "1234"), hold={"controller": "gone", "lease_s": 1})
    seen = net.probe().only("host")["busy"]["seen"]
    net.ask({"program": "probe", "facts": False}, run="other")
    busy = net.ask({"program": "probe", "facts": False}, run="other").only("host")["busy"]
    assert busy is None or busy["seen"] == pytest.approx(seen, abs=0.05)
    net.ask({"program": "restore", "force": True})


# facts


def test_facts_say_what_this_machine_is(host: Host) -> None:
    facts = host.probe(facts=True).only("facts")["facts"]
    assert facts["arch"] == os.uname().machine
    assert facts["kernel.cmdline"] == Path("/proc/cmdline").read_text().rstrip("\n")
    assert facts["cpu.count"] == os.cpu_count()
    assert facts["page_bytes"] == os.sysconf("SC_PAGE_SIZE")
    assert facts["host.root"] is (os.geteuid() == 0)
    assert facts["tools"]["python3"]
    assert facts["sysctl.vm.swappiness"] == Path("/proc/sys/vm/swappiness").read_text().strip()
    assert "lo" in facts["net.interfaces"]


def test_an_absent_fact_has_a_reason(host: Host) -> None:
    facts = host.probe(facts=True).only("facts")["facts"]
    absent = facts.pop("absent")
    none = {name for name, value in facts.items() if value is None}
    assert none <= set(absent)
    assert all(absent.values())


def test_a_probe_changes_nothing_and_says_why_a_value_cannot_be_read(host: Host) -> None:
    answer = host.probe(
        pseudo("/proc/sys/net/ipv4/route/flush"), pseudo("/proc/sys/no/key"), pseudo("/proc/sys")
    )
    errors = {e["id"]: (e["value"], e["error"]) for e in answer.events if e["event"] == "value"}
    assert errors["/proc/sys/no/key"] == (None, None)
    assert errors["/proc/sys"] == (None, "Is a directory (EISDIR)")
    assert errors["/proc/sys/net/ipv4/route/flush"][1]
    assert answer.end["ok"]


class Files(Facts):
    """Facts of a host that is not here: files by path."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__()
        self.files = files

    def text(self, path: str) -> str | None:  # type: ignore[override]
        return self.files.get(path)


V1 = """\
cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
"""
V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n"
HYBRID = V1 + "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "inside", "version", "hybrid", "memory"),
    [
        (V1, "", 1, False, True),
        (V2, "cpuset cpu io memory pids", 2, False, True),
        (V2, "cpuset cpu io pids", 2, False, False),
        (HYBRID, "", 1, True, True),
        (HYBRID.replace("memory", "pids"), "memory", 2, True, True),
        ("", "", None, False, False),
    ],
)
def test_control_groups_by_what_is_mounted(
    mounts: str, inside: str, version: int | None, hybrid: bool, memory: bool
) -> None:
    files = {"/proc/self/mounts": mounts, "/proc/self/cgroup": "0::/", "/proc/cgroups": ""}
    for folder in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        files[f"{folder}/cgroup.controllers"] = inside
    found = Files(files)
    kernel._cgroup(found)
    assert found.values["cgroup.version"] == version
    assert found.values["cgroup.hybrid"] is hybrid
    assert found.values["cgroup.memory"] is memory
    if not memory:
        assert found.absent["cgroup.memory"]


def test_one_mount_holds_two_controllers() -> None:
    v1, v2 = kernel.mounts(V1)
    assert v1["cpu"] == v1["cpuacct"] == "/sys/fs/cgroup/cpu,cpuacct"
    assert v2 is None


def test_a_raspberry_pi_is_named_with_its_memory() -> None:
    info = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\nRevision\t: c03112\nModel\t\t: Raspberry Pi 4 Model B Rev 1.2\n"
    found = Files(
        {
            "/proc/cpuinfo": info,
            "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.2",
            "/proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711",
        }
    )
    board._board(found)
    assert found.values["board.model"] == "Raspberry Pi 4 Model B Rev 1.2"
    assert found.values["board.memory"] == "4GB"
    assert found.values["board.compatible"] == ["raspberrypi,4-model-b", "brcm,bcm2711"]
    assert found.values["emulated"] is False
    assert board._cpu_model(info) == "Cortex-A72"


@pytest.mark.parametrize(
    ("code", "memory"),
    [(0xA03111, "1GB"), (0xB03111, "2GB"), (0xD03114, "8GB"), (0x9020E0, "512MB"), (0x0010, None)],
)
def test_revision_codes(code: int, memory: str | None) -> None:
    assert board._nominal(code) == memory


def test_qemu_is_emulated_and_kvm_is_not() -> None:
    virt = {
        "/proc/device-tree/model": "linux,dummy-virt",
        "/proc/device-tree/compatible": "linux,dummy-virt",
    }
    for more, emulated in (
        ({}, True),
        ({"/proc/device-tree/hypervisor/compatible": "linux,kvm"}, False),
    ):
        found = Files({**virt, **more})
        board._board(found)
        assert found.values["emulated"] is emulated
        assert found.values["emulated.signs"]


def test_big_and_little_cores() -> None:
    parts = (
        "CPU implementer\t: 0x41\nCPU part\t: 0xd05\n" * 2
        + "CPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"
    )
    assert board._cpu_model(parts) == "Cortex-A55 + Cortex-A76"


# the journal


values = st.none() | st.text(max_size=10)  # a dictionary is the value of a file
changes = st.builds(
    journal.Change,
    n=st.integers(1, 10**6),
    run=st.text(max_size=5),
    boot_id=st.text(max_size=5),
    at=st.floats(0, 2e9),
    cell=st.just({"id": "x", "via": "pseudo", "path": "/proc/x"}),
    prior=values,
    want=values,
    runtime=st.booleans(),
)


def said(changes: Iterable[journal.Change]) -> list[dict[str, Any]]:
    return [vars(change) for change in changes]


@given(
    batches=st.lists(st.lists(changes, min_size=1, max_size=3), min_size=1, max_size=3),
    cut=st.integers(0, 300),
)
def test_a_journal_cut_anywhere_gives_a_beginning_of_it(
    batches: list[list[journal.Change]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    for batch in batches:
        journal.append(str(path), batch)
    everything = said(change for batch in batches for change in batch)
    assert said(journal.read(str(path)).changes) == everything
    data = path.read_bytes()
    path.write_bytes(data[: max(0, len(data) - cut)])
    left = journal.read(str(path))
    assert said(left.changes) == everything[: len(left.changes)]
    assert left.damaged == ()
    journal.append(str(path), batches[0])
    assert said(journal.read(str(path)).changes) == said([*left.changes, *batches[0]])


def test_seals_come_and_go(tmp_path: Path) -> None:
    path = str(tmp_path / "j")
    change = journal.Change(
        1, "r", "b", 0.0, {"id": "x", "via": "pseudo", "path": "/x"}, "1", "2", runtime=True
    )
    journal.append(path, [change])
    assert not journal.read(path).changes[0].sealed
    journal.seal(path, {1: "0"})
    assert (journal.read(path).changes[0].sealed, journal.read(path).changes[0].kept) == (True, "0")
    journal.unseal(path, [1])
    assert not journal.read(path).changes[0].sealed


# the oldest Python


def test_all_of_it_runs_on_the_oldest_python(net: Host, tmp_path: Path) -> None:
    old = python("3.9")
    if old is None:
        pytest.skip("no Python 3.9 here")
    host = Host(net.state, net.prefix, old)
    assert host.probe(facts=True).end["ok"]
    assert host.converge(pseudo(SOMAXCONN, "1234")).outcomes == {SOMAXCONN: "changed"}
    assert host.ask({"program": "status"}).end["ok"]
    assert host.restore().outcomes == {SOMAXCONN: "restored"}
    assert host.ask(PUT, boot.frame(DATA)).end["ok"]


# a trial that still runs


@pytest.mark.skipif(os.geteuid() != 0, reason="kernel keys")
def test_restore_ends_a_trial_of_its_run_first(net: Host) -> None:
    """The workload would see its host change under it."""
    before = snapshot.keys(net, [SOMAXCONN])
    net.converge(pseudo(SOMAXCONN, "1234"))
    trial = {
        "program": "trial", "trial": "t1", "hold": {"controller": "test", "lease_s": None},
        "version": 1, "run": net.run, "network": "host", "idle_s": 600,
        "sample": {"hz": 1, "reads": []}, "workload": None,
    }  # fmt: skip
    link = subprocess.Popen(
        [*net.prefix, *boot.command(str(net.state))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with link:
        assert link.stdin is not None
        assert link.stdout is not None
        link.stdin.write(boot.frame(json.dumps(trial).encode()))
        link.stdin.flush()
        assert link.stdout.readline() == b"\n"  # a sign of life
        assert json.loads(link.stdout.readline())["event"] == "trial_started"
        (running,) = net.ask({"program": "status"}).only("status")["trials"]
        assert running["running"] is True
        assert net.ask({"program": "restore"}, run="other").error == "busy"
        answer = net.restore()
        assert [e["event"] for e in answer.events] == ["stopped", "result", "end"]
        assert answer.end["ok"]
        assert json.loads(link.stdout.read().splitlines()[-1])["event"] == "end"
        link.wait(10)
        assert snapshot.keys(net, [SOMAXCONN]) == before
