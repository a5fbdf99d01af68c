"""A trial's record survives the link: byte for byte, each event told once, in order."""

import json
import time

import pytest

from runner import errors
from runner.executor.agent import Agent
from runner.executor.trial import Backoff, _whole, attach_trial, run_trial
from runner.records.event import Fault
from runner.records.events import decode
from runner.records.host_events import End
from runner.transports.interface import LinkLost
from tests.waiting import until

QUICK = Backoff(attempts=6, first_s=0.01, longest_s=0.1)


def trial(name="t001", **other):
    return {"program": "trial", "trial": name, "n": 50} | other


class Log:
    """Takes events, and checks that each is on disk before it is told."""

    def __init__(self, spool):
        self.spool = spool
        self.events = []

    def __call__(self, event):
        self.events.append(event)
        lines = self.spool.read_bytes().splitlines(keepends=True)
        assert len(lines) == len(self.events)
        assert decode(lines[-1]) == event
        assert lines[-1].endswith(b"\n")

    @property
    def samples(self):
        return [event.t for event in self.events if event.kind == "sample"]


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "record" / "events" / "t001.jsonl"


@pytest.fixture
def log(spool):
    return Log(spool)


@pytest.fixture
def far(sshd, proxy, standin, state, tmp_path):
    """An agent behind a link that can be cut."""
    transport = sshd.transport(tmp_path, port=proxy.port)
    yield Agent(transport, run_id="r1", state_dir=str(state))
    transport.close()


def programs(state):
    return [json.loads(line) for line in (state / "programs").read_text().splitlines()]


def test_record_is_the_spool(agent, state, spool, log, transport):
    run = run_trial(agent, trial(), log, spool)
    assert spool.read_bytes() == (state / "t001").read_bytes()
    assert log.samples == list(range(50))
    assert run.end.ok is True
    assert (run.events, run.bytes, run.reconnects) == (52, spool.stat().st_size, 0)
    assert transport.execs == 1


def test_error_at_the_end_of_a_trial(agent, state, spool, log):
    end = {"code": "disk_full", "message": "no room", "fix": "make some"}
    with pytest.raises(errors.HostError, match="no room"):
        run_trial(agent, trial(end=end), log, spool)
    assert spool.read_bytes() == (state / "t001").read_bytes()
    assert log.events[-1].error == Fault(**end)


def test_refused_trial_leaves_no_line(agent, spool, log, transport):
    with pytest.raises(errors.HostBusy):
        run_trial(
            agent, {"program": "refuse", "trial": "t001", "error": ["busy", "m", "f"]}, log, spool
        )
    assert spool.read_bytes() == b""
    assert log.events == []
    assert transport.execs == 1


def test_a_record_is_never_overwritten(agent, spool, log):
    run_trial(agent, trial(), log, spool)
    with pytest.raises(errors.RecordError, match="holds a trial already"):
        run_trial(agent, trial(), log, spool)


@pytest.mark.parametrize("after", [1, 500, 6000, 6001, 6002, 6003, 9999, 20_000])
def test_link_cut_in_the_middle(far, proxy, state, spool, log, after):
    """After any number of bytes: in a line, in a packet, before the session is open."""
    waits = []
    list(
        far.run({"program": "say", "raw": ['{"event":"end","ok":true}\n']})
    )  # connected, agent sent
    proxy.cut_after = after
    run = run_trial(
        far, trial(n=300), log, spool, sleep=waits.append, backoff=QUICK, on_lost=lambda *_: None
    )
    assert proxy.cuts == 1
    assert spool.read_bytes() == (state / "t001").read_bytes()
    assert log.samples == list(range(300))
    assert far.transport.connects == 2
    # cut before the session was open, nothing was lost: opened anew without a word
    assert (run.reconnects, waits) == (0, []) if after == 1 else (1, [0.01])
    sent = programs(state)
    assert [program["program"] for program in sent].count("trial") == 1


def test_link_cut_again_and_again(far, proxy, state, spool, log):
    """Each connection carries more than sshd ever puts into one packet, so each brings lines."""
    each = 64_000  # 32 KiB is sshd's largest, and a handshake takes some 5 kB

    def lost(error, delay_s):
        assert isinstance(error, LinkLost)
        proxy.cut_after = each

    list(far.run({"program": "say", "raw": ['{"event":"end","ok":true}\n']}))
    proxy.cut_after = each
    long = trial(n=300, wide=2500)
    run = run_trial(far, long, log, spool, sleep=lambda _: None, backoff=QUICK, on_lost=lost)
    assert run.reconnects > QUICK.attempts  # a line that came makes the count start anew
    assert spool.read_bytes() == (state / "t001").read_bytes()
    assert log.samples == list(range(300))
    assert far.transport.connects == run.reconnects + 1
    offsets = [p["offset"] for p in programs(state) if p["program"] == "attach"]
    assert offsets == sorted(set(offsets))
    assert len(offsets) > QUICK.attempts


def test_host_that_stays_away_and_attach(far, proxy, state, spool, log):
    waits = []

    def lost(*_):
        proxy.down = True

    list(far.run({"program": "say", "raw": ['{"event":"end","ok":true}\n']}))
    proxy.cut_after = 20_000
    with pytest.raises(errors.HostUnreachable) as caught:
        run_trial(far, trial(n=300), log, spool, sleep=waits.append, backoff=QUICK, on_lost=lost)
    assert waits == [0.01, 0.02, 0.04, 0.08, 0.1, 0.1]
    assert caught.value.exit_code == 4
    assert "trial t001 may go on there" in str(caught.value)
    assert "runner attach r1" in caught.value.fix
    kept = spool.stat().st_size
    assert 0 < kept < (state / "t001").stat().st_size
    proxy.down = False
    # the controller died in the middle of a line
    with spool.open("ab") as file:
        file.write(b'{"event": "sam')
    count = len(log.events)
    run = attach_trial(far, "t001", log, spool)
    assert run.events == len(log.events) - count
    assert spool.read_bytes() == (state / "t001").read_bytes()
    assert log.samples == list(range(300))


def test_link_cut_before_the_program_was_read(far, proxy, state, spool, log):
    """The host knows no such trial then: it is sent again, once."""
    list(far.run({"program": "say", "raw": ['{"event":"end","ok":true}\n']}))
    start, calls = far.transport.start, []

    def cut_first(argv):
        channel = start(argv)
        calls.append(argv)
        if len(calls) == 1:
            proxy.cut()
            until(lambda: not channel.link_alive())
        return channel

    far.transport.start = cut_first
    run = run_trial(far, trial(), log, spool, sleep=lambda _: None, backoff=QUICK)
    assert run.reconnects == 1
    assert log.samples == list(range(50))
    assert spool.read_bytes() == (state / "t001").read_bytes()
    names = [program["program"] for program in programs(state)]
    assert names == ["say", "attach", "trial"]


def test_host_never_reached(far, proxy, spool, log):
    proxy.down = True
    waits = []
    with pytest.raises(errors.HostUnreachable) as caught:
        run_trial(far, trial(), log, spool, sleep=waits.append)
    assert waits == []
    assert "go on there" not in str(caught.value)


def test_attach_to_nothing(agent, spool, log):
    with pytest.raises(errors.HostError, match="no trial t009") as caught:
        attach_trial(agent, "t009", log, spool)
    assert "runner status" in caught.value.fix
    assert spool.read_bytes() == b""


def test_attach_to_an_ended_trial_gives_it_whole(agent, state, spool, log, tmp_path):
    other = tmp_path / "other.jsonl"
    run_trial(agent, trial(), lambda _: None, other)
    run = attach_trial(agent, "t001", log, spool)
    assert spool.read_bytes() == other.read_bytes()
    assert run.end.ok is True


def test_an_observer_that_fails_stops_the_stream(agent, spool):
    def fail(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(agent, trial(), fail, spool)
    assert spool.read_bytes().count(b"\n") == 1
    log = Log(spool)
    log.events.append(End(ok=True))
    attach_trial(agent, "t001", log, spool)
    assert log.samples == list(range(50))


def test_record_that_cannot_be_written(agent, tmp_path, log):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.RecordError) as caught:
        run_trial(agent, trial(), log, tmp_path / "file" / "t001.jsonl")
    assert caught.value.fix


def test_lines_come_while_the_trial_runs(agent, spool):
    times = []
    run_trial(agent, trial(n=10, tick=0.05), lambda _: times.append(time.monotonic()), spool)
    assert times[-1] - times[0] > 0.3


def test_backoff():
    waits = [Backoff().delay_s(i) for i in range(Backoff().attempts)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(waits) == 60.0
    assert 240 < sum(waits) < 420


@pytest.mark.parametrize(
    ("data", "size", "last"),
    [
        (b"", 0, b""),
        (b"a", 0, b""),
        (b"\n", 1, b"\n"),
        (b"a\n", 2, b"a\n"),
        (b"a\nb", 2, b"a\n"),
        (b"a\nb\n", 4, b"b\n"),
        (b"a\nb\nc", 4, b"b\n"),
    ],
)
def test_whole_lines(data, size, last):
    assert _whole(data) == (size, last)


def test_record_that_is_whole_asks_nobody(agent, spool, log, transport):
    run_trial(agent, trial(), log, spool)
    run = attach_trial(agent, "t001", log, spool)
    assert run.end.ok is True
    assert (run.events, run.bytes) == (0, spool.stat().st_size)
    assert transport.execs == 1


def test_end_of_a_failed_trial_after_a_cut_between_error_and_end(agent, state, spool, log):
    """It is the trial's end and belongs in the record, though it comes first on the new link."""
    error = {"code": "not_found", "message": "wrk is not there", "fix": "install it"}
    told = json.dumps({"event": "error"} | error).encode() + b"\n"
    end = json.dumps({"event": "end", "ok": False, "error": error}).encode() + b"\n"
    (state / "t001").write_bytes(told + end)
    spool.parent.mkdir(parents=True)
    spool.write_bytes(told)
    log.events.append(decode(told))
    with pytest.raises(errors.HostError, match="wrk is not there"):
        attach_trial(agent, "t001", log, spool)
    assert spool.read_bytes() == told + end


def test_refused_attach_leaves_no_line(agent, state, spool, log):
    spool.parent.mkdir(parents=True)
    line = b'{"event": "trial_started"}\n'
    spool.write_bytes(line)
    with pytest.raises(errors.HostError, match="no such trial"):
        attach_trial(agent, "t001", log, spool)
    assert spool.read_bytes() == line
