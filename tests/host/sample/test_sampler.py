"""The sampler on real kernel files, with a clock that the test moves."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runner.host.sample import sockets
from runner.host.sample.sampler import Sampler, fill

STATUS = {"id": "status", "path": "/proc/{pid}/status", "pick": {"keys": ["VmRSS"]}}
STATM = {"id": "statm", "path": "/proc/{pid}/statm", "hz": 2, "pick": {"words": [0, 1]}}
VMSTAT = {"id": "vmstat", "path": "/proc/vmstat", "pick": {"keys": ["pgfault", "oom_kill"]}}


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Events:
    def __init__(self):
        self.seen = []

    def __call__(self, event, **fields):
        self.seen.append({"event": event, **fields})

    def of(self, kind):
        return [event for event in self.seen if event["event"] == kind]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def make(clock, events):
    made = []

    def build(reads, hz=10):
        made.append(Sampler(reads, hz, clock.now, events, clock))
        made[-1].begin()
        return made[-1]

    yield build
    for sampler in made:
        sampler.close()


def test_columns_are_named_before_the_first_sample(make, events):
    """The names come once, and every row is as long as they are."""
    sampler = make([STATUS, STATM, VMSTAT])
    sampler.point({"pid": str(os.getpid())})
    sampler.tick()
    sampler.tick()
    assert [event["event"] for event in events.seen] == ["columns", "sample", "sample"]
    names = events.of("columns")[0]["names"]
    assert names == ["status.VmRSS", "statm.0", "statm.1", "vmstat.pgfault", "vmstat.oom_kill"]
    first = dict(zip(names, events.of("sample")[0]["v"], strict=True))
    assert all(value is not None for value in first.values())
    assert first["vmstat.pgfault"] > 0


def test_files_are_rendered_anew_from_one_open_file(make, events):
    """The same descriptor gives the value of now at each tick."""
    sampler = make([VMSTAT])
    sampler.point({})
    sampler.tick()
    ballast = bytearray(64 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    opened = {name.name for name in Path("/proc/self/fd").iterdir()}
    sampler.tick()
    assert {name.name for name in Path("/proc/self/fd").iterdir()} == opened
    first, second = (event["v"][0] for event in events.of("sample"))
    assert second > first


def test_a_slower_read_is_null_between_its_turns(make, clock, events):
    """A 2 Hz read in a 10 Hz row has a value in every fifth."""
    sampler = make([STATM])
    sampler.point({"pid": "self"})
    for _ in range(11):
        sampler.tick()
        clock.now = sampler.due
    turns = [n for n, event in enumerate(events.of("sample")) if event["v"][0] is not None]
    assert turns == [0, 5, 10]


def test_late_ticks_are_counted_and_the_grid_stays(make, clock, events):
    """After a stall the next sample is on the old grid, and what was lost is said."""
    sampler = make([STATM], hz=10)
    sampler.point({"pid": "self"})
    sampler.tick()
    clock.now += 0.57  # ticks at 0.1 … 0.4 are past; 0.5 is still taken, late
    sampler.tick()
    clock.now = sampler.due
    sampler.tick()
    times = [event["t"] for event in events.of("sample")]
    assert times == pytest.approx([0.0, 0.57, 0.6])
    assert sampler.summary()["ticks"] == 3
    assert sampler.summary()["missed"] == 4


def test_a_pause_is_no_miss(make, clock):
    """Time in which sampling was off is not counted against it."""
    sampler = make([STATM])
    sampler.point({"pid": "self"})
    sampler.tick()
    clock.now += 60
    sampler.begin()
    sampler.tick()
    assert sampler.missed == 0


def test_what_is_not_there_is_null_and_said_once(make, events):
    """A missing file gives null in every row and one `absent` with the reason."""
    sampler = make([{"id": "peak", "path": "/proc/self/no_such", "pick": {"int": True}}])
    sampler.point({})
    sampler.tick()
    sampler.point({"pid": "1"})  # another workload changes nothing of the host's files
    sampler.tick()
    assert [event["v"] for event in events.of("sample")] == [[None], [None]]
    (absent,) = events.of("absent")
    assert absent["id"] == "peak"
    assert "No such file" in absent["reason"]


def test_a_process_that_ends_becomes_absent(make, events):
    """Its open /proc files give no error out of the sampler, but nulls and one reason."""
    child = os.fork()
    if child == 0:
        os.read(os.pipe()[0], 1)
    sampler = make([STATUS])
    sampler.point({"pid": str(child)})
    sampler.tick()
    os.kill(child, 9)
    os.waitpid(child, 0)
    sampler.tick()
    sampler.tick()
    values = [event["v"][0] for event in events.of("sample")]
    assert values[0] > 0
    assert values[1:] == [None, None]
    assert len(events.of("absent")) == 1


def test_nothing_is_absent_before_there_is_a_workload(make, events):
    """Without a pid so far there is nothing to miss; with a trial that has none there is."""
    sampler = make([STATUS])
    sampler.point(None)
    sampler.tick()
    assert events.of("absent") == []
    sampler.point({})
    sampler.tick()
    assert events.of("absent")[0]["reason"] == "the trial has no pid"


def test_a_new_workload_is_read_after_point(make, events):
    """Pointing elsewhere closes the old files."""
    sampler = make([{"id": "pid", "path": "/proc/{pid}/stat", "pick": {"words": [0]}}])
    for pid in (os.getpid(), os.getppid()):
        sampler.point({"pid": str(pid)})
        sampler.tick()
    assert [event["v"][0] for event in events.of("sample")] == [os.getpid(), os.getppid()]


def test_snapshot_reads_everything_now(make):
    """Counters at a step's ends come by column name, whatever their rate."""
    sampler = make([STATM, VMSTAT])
    sampler.point({"pid": "self"})
    sampler.tick()
    found = sampler.snapshot()
    assert set(found) == {"statm.0", "statm.1", "vmstat.pgfault", "vmstat.oom_kill"}
    assert found["statm.0"] > 0


def test_braces_that_are_no_place_stay():
    """Only known places are filled; JSON in an argument is left alone."""
    assert fill('{"a": {pid}}', {"pid": "7"}) == '{"a": 7}'
    with pytest.raises(KeyError):
        fill("{cgroup}/x", {"pid": "7"})


@pytest.fixture
def listener():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        found.listen(64)
        yield found


@pytest.fixture
def diag():
    found = sockets.Diag()
    yield found
    found.close()


def connect(listener, many, family=socket.AF_INET, host="127.0.0.1"):
    pairs = []
    for _ in range(many):
        client = socket.socket(family)
        client.connect((host, listener.getsockname()[1]))
        pairs.append((client, listener.accept()[0]))
    return pairs


@pytest.mark.parametrize("many", [0, 1, 300])
def test_established_counts_one_end_of_each_connection(listener, diag, many):
    """On loopback both ends are here: only the server's is counted."""
    pairs = connect(listener, many)
    assert diag.established(listener.getsockname()[1]) == many
    for pair in pairs:
        for end in pair:
            end.close()


def test_time_wait_counts_both_sides_closing(listener, diag):
    """Whoever closes first holds TIME_WAIT; both are counted, and no more as established."""
    pairs = connect(listener, 6)
    for client, server in pairs[:2]:
        client.close()
        server.close()
    for client, server in pairs[2:5]:
        server.close()
        client.close()
    assert diag.count(listener.getsockname()[1]) == {"established": 1, "time_wait": 5}
    for end in pairs[5]:
        end.close()


def test_a_dual_stack_server_is_counted(diag):
    """What listens on [::] shows its IPv4 connections too."""
    with socket.socket(socket.AF_INET6) as server:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", 0))
        server.listen(8)
        pairs = connect(server, 2)
        assert diag.established(server.getsockname()[1]) == 2
        for pair in pairs:
            for end in pair:
                end.close()


def test_the_listener_is_found_by_its_socket(listener, diag):
    """Inode of the listening socket → process that holds it."""
    inodes = diag.listeners(listener.getsockname()[1])
    assert sockets.owner(inodes) == os.getpid()
    assert sockets.owner(inodes, [os.getpid()]) == os.getpid()
    assert sockets.owner([]) is None
    assert diag.listeners(1) == []


def test_what_sits_beside_a_trial_imports_little():
    """Each of these would cost it half a megabyte, or several."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import host.main, host.trial.supervisor; "
        "print(*{'typing', 'socket', 'hashlib', 'subprocess', 'tempfile', 'logging'} "
        "& sys.modules.keys())"
    )
    argv = [sys.executable, "-I", "-S", "-c", code, str(Path(sockets.__file__).parents[2])]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip() == ""
