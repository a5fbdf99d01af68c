"""Guards on recorded facts: what breaks a trial, and what only looks like it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.analysis.trial.recording import LOAD, STEP, ended, failed, judged, recorded

COLUMN = "board.throttled"


def throttled(*bits: int):
    """Give a board's sensor to a recorded trial: these bits, over its samples."""
    events = recorded("healthy")
    names = next(e["names"] for e in events if e["event"] == "columns")
    place = names.index(COLUMN)
    rows = [e for e in events if e["event"] == "sample"]
    first = next(e["t"] for e in events if e["event"] == "measure_started")
    inside = [row for row in rows if row["t"] >= first]
    for number, row in enumerate(inside):
        row["v"][place] = bits[number * len(bits) // len(inside)]
    for event in events:
        if event["event"] == "step_ended":
            event["at_start"][COLUMN], event["at_end"][COLUMN] = bits[0], bits[-1]
    return events


@pytest.mark.parametrize(
    ("bits", "gained"),
    [
        ((0, 0), 0),
        ((0x50000, 0x50000), 0),  # sticky since an earlier day
        ((0, 0x50005, 0x50000), 0x50005),  # came and went within the step
        ((0x50005, 0x50005), 0x5),  # throttled all the time: nothing new, and no good
        ((0x50000, 0x70002, 0x70000), 0x20002),
    ],
)
def test_throttled_board(bits, gained):
    found = judged(throttled(*bits), guards=["board.throttled.gained == none"])
    assert found.steps[0].numbers["board.throttled.gained"] == gained
    assert found.outcome == ("invalid" if gained else "healthy")


def test_board_without_the_sensor_is_not_invalid():
    found = judged(recorded("healthy"), guards=["board.throttled.gained == none"])
    assert found.outcome == "healthy"
    assert "No such file" in found.steps[0].why["board.throttled.gained"]


def test_hot_board():
    events = recorded("healthy")
    place = next(e["names"] for e in events if e["event"] == "columns").index("board.temperature")
    for event in events:
        if event["event"] == "sample":
            event["v"][place] = 81_300
    found = judged(events, guards=["board.temperature <= 80°C"])
    assert found.outcome == "invalid"
    assert failed(found.steps[0]) == {"board.temperature <= 80°C": "81.3 °C"}


@pytest.mark.parametrize(("cpu_s", "cpus", "broken"), [(1.9, 2, True), (1.9, 4, True), (0.8, 2, False),
                                                        (0.95, 1, True)])  # fmt: skip
def test_saturated_generator(cpu_s, cpus, broken):
    """CPU of what its two threads could use, not of one core."""

    def change(event):
        if event["event"] == "step_started":
            return {**event, "cpus": cpus}
        return ended(cpu_s=cpu_s, wall_s=1.0)(event)

    step = type(STEP)(0, "4", 4, "wrk", type(LOAD)(**{**vars(LOAD), "threads": 2}))
    found = judged(recorded("healthy", change), steps=(step,), guards=["load.cpu <= 85%"])
    assert (found.outcome == "invalid") is broken


def test_generator_with_too_few_files_is_invalid_without_any_guard():
    def change(event):
        return {**event, "nofile": 18} if event["event"] == "step_started" else event

    found = judged(recorded("healthy", change))
    assert found.outcome == "invalid"
    assert found.steps[0].numbers["load.errors.local"] == 2
    assert "18 open files are too few" in found.why or "18 open files" in str(found.guards)


def test_error_of_the_generators_host_is_counted():
    said = "unable to create thread: Cannot allocate memory"
    found = judged(recorded("healthy", ended(exit=1, stdout="", stderr=said)))
    assert found.outcome == "invalid"
    assert found.steps[0].numbers["load.errors.local"] == 1


def oom(inside: int, host: int):
    def change(event):
        if event["event"] != "step_ended":
            return event
        first, last = dict(event["at_start"]), dict(event["at_end"])
        last["cgroup.oom.oom_kill"] = first["cgroup.oom.oom_kill"] + inside
        last["host.vmstat.oom_kill"] = first["host.vmstat.oom_kill"] + host
        return {**event, "at_start": first, "at_end": last}

    return recorded("healthy", change)


def test_oom_kill_of_someone_else():
    guard = ["host.oom_kills_outside_cgroup == 0"]
    assert judged(oom(0, 1), guards=guard).outcome == "invalid"
    assert judged(oom(2, 3), guards=guard).outcome == "invalid"
    healthy = judged(oom(1, 1), guards=guard, healthy=["cgroup.oom_kills == 0"])
    assert healthy.outcome == "unhealthy"
    assert judged(oom(0, 0), guards=guard).outcome == "healthy"


def test_host_busy_with_something_else():
    def change(event):
        if event["event"] != "step_ended":
            return event
        first, last = dict(event["at_start"]), dict(event["at_end"])
        for index, ticks in {1: 150, 2: 0, 3: 10, 4: 30, 5: 0, 6: 0, 7: 0, 8: 10}.items():
            last[f"host.stat.{index}"] = first[f"host.stat.{index}"] + ticks
        return {**event, "at_start": first, "at_end": last, "cpu_s": 0.2}

    numbers = judged(recorded("healthy", change)).steps[0].numbers
    assert numbers["host.cpu"] == pytest.approx(0.8)
    assert numbers["host.steal"] == pytest.approx(0.05)
    assert 0.2 < numbers["host.others"] < 0.75
    for guard in ("host.others <= 10%", "host.steal <= 1%", "host.load <= 0.0001"):
        assert judged(recorded("healthy", change), guards=[guard]).outcome == "invalid"


def cpu_times(**ticks):
    """Give a recorded step these ticks of the host's CPUs, and 2 s of its generator's."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")

    def change(event):
        if event["event"] != "step_ended":
            return event
        first, last = dict(event["at_start"]), dict(event["at_end"])
        for index, name in enumerate(names, 1):
            last[f"host.stat.{index}"] = first[f"host.stat.{index}"] + ticks.get(name, 0)
        for index in (11, 12):
            first[f"procfs.stat.{index}"] = last[f"procfs.stat.{index}"] = 0
        return {**event, "at_start": first, "at_end": last, "cpu_s": 2.0}

    return judged(recorded("healthy", change), guards=["host.others <= 10%"])


@pytest.mark.parametrize(
    ("ticks", "others"),
    [
        ({"user": 100, "system": 60, "softirq": 40, "idle": 200}, 0.0),
        ({"user": 300, "system": 60, "softirq": 40}, 0.5),
        # interrupts that are timed are in nobody's time
        ({"user": 120, "system": 80, "softirq": 90, "irq": 10, "idle": 100}, 0.0),
        ({"user": 220, "system": 80, "softirq": 90, "irq": 10}, 0.25),
    ],
)
def test_others_are_what_nobody_of_ours_used(ticks, others):
    found = cpu_times(**ticks)
    assert found.steps[0].numbers["host.others"] == pytest.approx(others)
    assert found.outcome == ("invalid" if others > 0.1 else "healthy")


def test_host_that_loses_ticks_knows_nothing_of_others():
    """An emulated board counted 0.9 s while its programs used 2 s: no 0 % of others."""
    found = cpu_times(user=60, system=30, idle=60)
    assert found.steps[0].numbers["host.others"] is None
    assert "2.0 s of CPU, the host counted 0.9 s" in found.steps[0].why["host.others"]
    assert found.outcome == "healthy"


@pytest.mark.parametrize(("step_s", "changed"), [(0.0, 0), (0.05, 0), (3600.0, 1), (-0.5, 1)])
def test_clock_that_was_set(step_s, changed):
    def change(event):
        later = event["event"] in {"step_ended", "sampler", "end"}
        return {**event, "at": event["at"] + step_s} if later else event

    found = judged(recorded("healthy", change), guards=["not host.clock_changed"])
    assert found.steps[0].numbers["host.clock_changed"] == changed
    assert found.outcome == ("invalid" if changed else "healthy")
    assert found.steps[0].numbers["host.clock_step"] == pytest.approx(step_s, abs=0.01)


def samples_written(*late):
    """A step whose samples were written so many seconds after they were read, in turn."""
    said = iter(late)

    def change(event):
        return (
            {**event, "at": event["at"] + next(said, 0.0)} if event["event"] == "sample" else event
        )

    return judged(recorded("healthy", change), guards=["not host.clock_changed"]).steps[0]


def test_sample_written_late_is_no_clock_that_was_set():
    """A busy host writes a sample 0.3 s after its time: the next one is as late, and no more."""
    found = recorded("healthy", lambda event: event)
    times = [event.t for event in found if type(event).__name__ == "Sample"]
    gaps = [after - before for before, after in pairwise(times)]
    step = samples_written(*(0.9 * gap for gap in gaps))
    assert step.numbers["host.clock_changed"] == 0


@pytest.mark.parametrize("by", [-0.7, 3.0])
def test_clock_set_and_set_back_within_a_step(by):
    """Its ends agree; samples between them are off by more than any time of writing."""
    step = samples_written(0.0, 0.0, 0.0, by, by, by)
    assert step.numbers["host.clock_changed"] == 1
    assert abs(step.numbers["host.clock_step"] - by) < 0.3


@pytest.mark.parametrize("drifted", [[], [{"id": "sysctl:a", "kept": "1", "now": "2"}]])
def test_drift(drifted):
    events = recorded("healthy")
    events = [event for event in events if event["event"] != "state_checked"]
    events.insert(-3, {"event": "state_checked", "at": 0, "index": 0, "drifted": drifted})
    found = judged(events, guards=["not host.drift"])
    assert found.outcome == ("invalid" if drifted else "healthy")
    if drifted:
        assert failed(found.steps[0])["not host.drift"] == "sysctl:a: '1' is now '2'"
