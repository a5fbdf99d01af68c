"""Faults within a load, cool-downs and drift: on the real kernel, undone whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.host.trials import (
    alive,
    kinds,
    load,
    of,
    only,
    ping,
    program,
    said,
    spool,
    step,
)
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.usefixtures("put_back"),
]


def fault(kind: str, *, index: int = 0, at: float = 0.3, last: float | None = 0.6, **more):
    return {"index": index, "kind": kind, "at_s": at, "for_s": last, **more}


def started(answer):
    (begun,) = of(answer.events, "fault_started")
    (ended,) = of(answer.events, "fault_ended")
    assert ended["why"] is None
    return begun, ended


def test_link_goes_down_and_comes_back(host):
    """In the workload's namespace nobody is answered meanwhile."""
    asked = [fault("network", at=0.4, last=1.0, link="lo", down=True)]
    answer = host.ask(program(ping(), faults=asked, **load(step(seconds=3))))
    assert answer.end["ok"], answer.end
    begun, ended = started(answer)
    ended_at = only(answer.events, "step_ended")
    assert 0.9 <= ended["t"] - begun["t"] <= 1.6
    assert float(ended_at["stdout"].split('"max_us":')[1].split(",")[0]) > 700_000
    results = [e for e in answer.events if e["event"] == "result" and e["id"] == "fault:link lo"]
    assert [one["after"] for one in results] == ["down", "up;"]


@pytest.fixture
def link():
    """An interface of this machine with a route of its own."""
    name = f"rt{os.getpid() % 10000}"
    made = ["ip", "link", "add", name, "type", "bridge"]
    if subprocess.run(made, check=False, capture_output=True).returncode:
        pytest.skip("no bridges here")
    for words in (
        f"addr add 198.51.100.1/24 dev {name}",
        f"link set {name} up",
        f"route add 203.0.113.0/24 via 198.51.100.9 dev {name}",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    yield name
    subprocess.run(["ip", "link", "del", name], check=False)


def routes(name: str) -> str:
    argv = ["ip", "route", "show", "dev", name]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout


def is_up(name: str) -> bool:
    return bool(int(Path(f"/sys/class/net/{name}/flags").read_text(), 16) & 1)


def test_link_of_the_host_comes_back_with_its_routes(host, link):
    before = routes(link)
    asked = [fault("network", link=link, down=True)]
    answer = host.ask(program(ping(), network="host", faults=asked, **load(step(seconds=2))))
    assert answer.end["ok"], answer.end
    started(answer)
    assert is_up(link)
    assert sorted(routes(link).split()) == sorted(before.split())
    assert host.restore().end["ok"]
    assert sorted(routes(link).split()) == sorted(before.split())


def test_killed_supervisor_leaves_the_link_to_restore(host, link):
    """kill -9 while the link is down: the journal knows, and `restore` brings it back."""
    before = routes(link)
    asked = [fault("network", at=0.2, last=60, link=link, down=True)]
    whole = program(ping(), network="host", faults=asked, **load(step(seconds=20)))
    thread = threading.Thread(target=host.ask, args=(whole,), daemon=True)
    thread.start()
    path = spool(host.state, host.run)
    until(lambda: any(e["event"] == "fault_started" for e in said(path)))
    assert not is_up(link)
    os.kill(int((path.parent / "supervisor").read_text()), signal.SIGKILL)
    thread.join(30)
    assert host.restore().end["ok"]
    assert is_up(link)
    assert sorted(routes(link).split()) == sorted(before.split())


UPLINK = """\
link set lo up
link add up0 type veth peer name up1
link set up1 up
address add 198.51.100.1/24 dev up0
link set up0 up
-6 address add 2001:db8::1/64 dev up0 nodad
-6 address add 2001:db8:5::1/64 dev up0 nodad preferred_lft 0
route add default via 198.51.100.9 dev up0 metric 50
route add 198.51.100.200 dev up0 scope link
route add 203.0.113.0/24 via 198.51.100.200 dev up0
route add 192.0.2.0/24 dev up0 table 100
-6 route add default via fe80::9 dev up0
-6 route add 2001:db8:9::/48 via 2001:db8::9 dev up0 metric 77
"""


@pytest.fixture
def uplink(net, netns):
    """A host with one link to the world, of both families, in a namespace of its own."""

    def ip(*words: str) -> str:
        argv = ["nsenter", f"--net=/proc/{netns}/ns/net", "ip", *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    for line in UPLINK.splitlines():
        ip(*line.split())

    def state() -> dict[str, list[str]]:
        found = {
            "routes": ip("route", "show", "table", "all", "dev", "up0"),
            "routes6": ip("-6", "route", "show", "table", "all", "dev", "up0"),
            "addresses": ip("-o", "address", "show", "dev", "up0"),
            "link": ip("-o", "link", "show", "dev", "up0"),
        }
        # the address that the kernel makes of the hardware's is checked for a second
        return {k: sorted(v.replace(" tentative", "").splitlines()) for k, v in found.items()}

    # until then it has no route of its own
    until(lambda: " tentative" not in ip("-o", "address", "show", "dev", "up0"))
    assert sum(len(state()[name]) for name in ("routes", "routes6")) >= 12
    return net, state


def test_uplink_comes_back_with_addresses_and_routes_of_both_families(uplink):
    """Default routes, gateways behind routes, other tables, IPv6 addresses and how they are."""
    host, state = uplink
    before = state()
    asked = [fault("network", link="uplink", down=True)]
    answer = host.ask(program(ping(), network="host", faults=asked, **load(step(seconds=2))))
    assert answer.end["ok"], answer.end
    started(answer)
    until(lambda: state() == before)
    assert host.restore().end["ok"]
    until(lambda: state() == before)


def test_killed_supervisor_leaves_the_uplink_to_restore(uplink):
    host, state = uplink
    before = state()
    asked = [fault("network", at=0.2, last=60, link="uplink", down=True)]
    whole = program(ping(), network="host", faults=asked, **load(step(seconds=20)))
    thread = threading.Thread(target=host.ask, args=(whole,), daemon=True)
    thread.start()
    path = spool(host.state, host.run)
    until(lambda: any(e["event"] == "fault_started" for e in said(path)))
    assert len(state()["routes6"]) == 0
    os.kill(int((path.parent / "supervisor").read_text()), signal.SIGKILL)
    thread.join(30)
    assert host.restore().end["ok"]
    until(lambda: state() == before)


def test_slow_link_where_the_kernel_has_no_netem(host, tmp_path, monkeypatch):
    """Skipped with the reason; the trial goes on."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "tc").write_text(
        '#!/bin/sh\ncase "$2" in show) echo "qdisc noqueue 0: root refcnt 2";;\n'
        "*) echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2;; esac\n"
    )
    (tools / "tc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    asked = [fault("network", link="lo", netem=["delay", "20ms"])]
    answer = host.ask(program(ping(), faults=asked, **load(step(seconds=2))))
    assert answer.end["ok"], answer.end
    assert "no netem" in only(answer.events, "fault_skipped")["why"]


def test_slow_link_is_set_and_taken_off(host, tmp_path, monkeypatch):
    """Against a tc that remembers: what was there before is there after."""
    tools, note = tmp_path / "bin", tmp_path / "qdisc"
    tools.mkdir()
    note.write_text("qdisc noqueue 0: root refcnt 2\n")
    (tools / "tc").write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\ncase "$2" in show) cat {note};;\n'
        f'add) echo "qdisc netem 8001: root refcnt 2 limit 1000 delay 20ms" > {note};;\n'
        f'del) echo "qdisc noqueue 0: root refcnt 2" > {note};; esac\n'
    )
    (tools / "tc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    asked = [fault("network", link="lo", netem=["delay", "20ms", "loss", "1%"])]
    answer = host.ask(program(ping(), faults=asked, **load(step(seconds=2))))
    started(answer)
    calls = (tmp_path / "calls").read_text()
    assert "qdisc add dev lo root netem delay 20ms loss 1%" in calls
    assert calls.index("qdisc del dev lo root") > calls.index("qdisc add")
    assert note.read_text().startswith("qdisc noqueue")


def test_uplink_that_is_not_there(host):
    asked = [fault("network", link="uplink", down=True)]
    answer = host.ask(program(ping(), faults=asked, **load(step(seconds=1))))
    assert "name the link" in only(answer.events, "fault_skipped")["why"]


def test_paused_workload_goes_on(host):
    """Stopped with its children, and answering again afterwards; it counts as alive."""
    asked = [fault("process", at=0.3, last=1.0, do="pause")]
    answer = host.ask(program(ping("fork"), faults=asked, **load(step(seconds=3))))
    assert answer.end["ok"], answer.end
    started(answer)
    assert "workload_exited" not in [
        e["event"] for e in answer.events if not e.get("expected", True)
    ]
    assert "aborted" not in kinds(answer.events)


def test_trial_that_ends_within_a_pause_ends_its_workload(host):
    asked = [fault("process", at=0.2, last=60, do="pause")]
    began = time.monotonic()
    answer = host.ask(program(ping(), faults=asked, **load(step(seconds=1))))
    assert time.monotonic() - began < 15
    started(answer)
    exited = only(answer.events, "workload_exited")
    assert exited["expected"]
    assert exited["signal"] == signal.SIGTERM  # it heeded it: nobody had to kill it
    assert not alive(only(answer.events, "workload_started")["pid"])


def test_killed_workload_is_its_death(host):
    asked = [fault("process", last=None, do="kill")]
    answer = host.ask(program(ping(), faults=asked, **load(step(seconds=5))))
    exited = only(answer.events, "workload_exited")
    assert (exited["signal"], exited["expected"]) == (signal.SIGKILL, False)
    assert only(answer.events, "step_ended")["cut"]


def test_memory_is_taken_and_given_back(host):
    asked = [fault("memory", at=0.2, last=0.8, bytes=96 << 20)]
    reads = [{"id": "mem", "path": "/proc/meminfo", "hz": 20, "pick": {"keys": ["AnonPages"]}}]
    answer = host.ask(
        program(ping(), faults=asked, sample={"hz": 20, "reads": reads}, **load(step(seconds=2)))
    )
    assert answer.end["ok"], answer.end
    begun, ended = started(answer)
    assert 0.7 <= ended["t"] - begun["t"] <= 1.5
    assert "workload_exited" in kinds(answer.events)
    assert only(answer.events, "workload_exited")["left"] == []


def test_more_memory_than_there_is(host):
    asked = [fault("memory", bytes=1 << 50)]
    answer = host.ask(program(ping(), faults=asked, **load(step(seconds=1))))
    assert "more than the host can give" in only(answer.events, "fault_skipped")["why"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (fault("clock"), "no known kind"),
        (fault("network", at=-1, link="lo", down=True), "before the load"),
        (fault("process", last=None, do="pause"), "no end"),
    ],
)
def test_refused_before_anything_is_done(host, wrong, why):
    answer = host.ask(program(ping(), faults=[wrong], **load(step())))
    assert answer.error == "bad_program"
    assert why in answer.end["error"]["message"]


def test_applied_state_that_somebody_changes_is_drift(host):
    """A key of the journal, changed behind our back in the middle of a step."""
    key = Path("/proc/sys/kernel/printk_delay")
    before = key.read_text()
    cell = {"id": "sysctl:x", "via": "pseudo", "path": str(key), "form": "words",
            "want": "7" if before.strip() != "7" else "8", "runtime": True}  # fmt: skip
    try:
        host.converge(cell)
        answer = host.ask(program(ping(), **load(step(seconds=1), step(1, seconds=2))))
        assert [e["drifted"] for e in of(answer.events, "state_checked")] == [[], []]
        key.write_text("9\n")
        answer = host.ask(program(ping(), trial="t2", **load(step(seconds=1))))
        (drifted,) = only(answer.events, "state_checked")["drifted"]
        assert (drifted["id"], drifted["kept"], drifted["now"]) == ("sysctl:x", cell["want"], "9")
    finally:
        key.write_text(cell["want"])
        host.restore()
    assert key.read_text() == before


def declared_file(path: Path, text: str) -> dict:
    import base64

    want = {"type": "file", "bytes_b64": base64.b64encode(text.encode()).decode(), "mode": 0o644}
    return {"id": f"file:{path}", "via": "file", "path": str(path), "form": "file", "want": want}


def declared_unit(state: Path) -> dict:
    """What a command tells, such as a unit's state."""
    return {"id": "services:x", "via": "argv", "name": "x", "read": ["cat", str(state)],
            "write": {"active": ["true"]}, "want": "active", "form": "exact"}  # fmt: skip


def test_what_was_right_already_is_looked_at_as_well(host, tmp_path):
    """Not in the journal, since nothing was changed: commands wait for the last step."""
    file, unit, key = tmp_path / "conf", tmp_path / "unit", Path("/proc/sys/kernel/printk_delay")
    file.write_text("a = 1\n")
    file.chmod(0o644)
    unit.write_text("active\n")
    cells = [
        declared_file(file, "a = 1\n"),
        declared_unit(unit),
        {"id": "sysctl:x", "via": "pseudo", "path": str(key), "form": "words",
         "want": key.read_text().strip()},
    ]  # fmt: skip
    first, last = load(step(seconds=1), step(1, seconds=1)), load(step(seconds=1))
    said = of(host.ask(program(ping(), declared=cells, **first)).events, "state_checked")
    assert [e["drifted"] for e in said] == [[], []]
    assert [e["unchecked"] for e in said] == [["services:x"], []]
    assert [e["cells"] - said[0]["cells"] for e in said] == [0, 1]
    file.write_text("a = 2\n")
    unit.write_text("inactive\n")
    said = only(
        host.ask(program(ping(), trial="t2", declared=cells, **last)).events, "state_checked"
    )
    found = {one["id"]: (one["kept"], one["now"]) for one in said["drifted"]}
    assert set(found) == {f"file:{file}", "services:x"}
    assert found["services:x"] == ("active", "inactive")
    assert found[f"file:{file}"][1]["size"] == 6
    file.unlink()
    said = only(
        host.ask(program(ping(), trial="t3", declared=cells, **last)).events, "state_checked"
    )
    assert next(one["now"] for one in said["drifted"] if one["id"] == f"file:{file}") is None


def test_pause_between_trials_and_after_steps(host):
    """At least as long as asked, and not longer than at most; what is absent is not waited for."""
    settle = {"at_least_s": 0.5, "at_most_s": 2, "temperature_below": 1000.0}
    cooldown = {"at_least_s": 0, "at_most_s": 0.6, "load_below": 1e-9}
    answer = host.ask(program(ping(), settle=settle, **load(step(cooldown=cooldown))))
    settled, cooled = only(answer.events, "settled"), only(answer.events, "cooled")
    assert 0.5 <= settled["after_s"] < 1.5
    assert settled["drained"]
    if not Path("/sys/class/thermal/thermal_zone0/temp").exists():
        assert settled["absent"] == ["temperature"]
    assert 0.6 <= cooled["after_s"] < 1.5
    assert not cooled["drained"]
    assert cooled["load"] >= 0
