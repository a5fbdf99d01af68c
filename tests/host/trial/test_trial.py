"""Trials on the real kernel: real cgroups, real wrk, small servers that misbehave."""

from __future__ import annotations

import hashlib
import resource
import shutil
import signal
import socket
from pathlib import Path

import pytest

from tests.host import trials
from tests.host.trials import (
    PYTHON,
    kinds,
    load,
    memory_group,
    needs_v1,
    needs_wrk,
    of,
    only,
    ping,
    program,
    step,
)

pytestmark = [
    pytest.mark.skipif(not trials.is_root(), reason="namespaces and cgroups need root"),
    pytest.mark.usefixtures("put_back"),
]


def test_a_trial_without_workload_samples_the_host(host):
    """Idle for a moment: rows on the host's files, and nothing called absent but what is."""
    answer = host.ask(program(None, network="host", idle_s=0.2))
    assert answer.end["ok"], answer.end
    begun = [kind for kind in kinds(answer.events) if kind not in ("need_agent", "absent")]
    assert begun == ["trial_started", "idle_started", "columns", "idle_ended", "sampler", "end"]
    names = only(answer.events, "columns")["names"]
    rows = of(answer.events, "sample")
    assert all(len(row["v"]) == len(names) for row in rows)
    assert rows[0]["v"][names.index("host.vmstat.oom_kill")] is not None
    assert {event["id"] for event in of(answer.events, "absent")} == {
        "procfs.status", "procfs.stat", "net.sockets",
    }  # fmt: skip
    ended = only(answer.events, "idle_ended")
    assert set(ended["at_start"]) == set(ended["at_end"]) == set(names)


def test_a_host_rebooted_since_it_was_converged_refuses_the_trial(host):
    """The declared state went with the old boot: nothing is begun, and no spool is left."""
    answer = host.ask(program(None, network="host", idle_s=0.2, boot_id="another-boot"))
    assert answer.end["error"]["code"] == "rebooted"
    assert "rebooted" in answer.end["error"]["message"]
    assert kinds(answer.events)[-1:] == ["end"]
    assert not of(answer.events, "trial_started")


@needs_wrk
@needs_v1
def test_a_whole_trial_in_a_memory_group(host):
    """Group, start, readiness, warm-up, measurement, fetch, end: in order and with numbers."""
    workload = ping(cgroup=memory_group("whole", "64M"), limits={"nofile": [2048, 4096]}, cpus=[0])
    warmup = ["wrk", "-t1", "-c4", "-d1s", "http://127.0.0.1:{port}/"]
    fetch = [
        {"name": "root", "url": "http://127.0.0.1:{port}/", "when": "after"},
        {"name": "limits", "path": "/proc/{pid}/limits", "when": "before"},
        {"name": "groups", "path": "/proc/{pid}/cgroup", "when": "after_step"},
        {"name": "gone", "path": "/proc/{pid}/no_such", "when": "after"},
    ]
    cooldown = {"at_most_s": 5, "time_wait_below": 1000}
    answer = host.ask(
        program(workload, fetch=fetch, **load(step(warmup=warmup, cooldown=cooldown)))
    )
    assert answer.end["ok"], answer.end
    said = [kind for kind in kinds(answer.events) if kind not in ("columns", "output", "absent")]
    assert said[said.index("trial_started") :] == [
        "trial_started", "workload_started", "ready", "listener", "fetched", "step_started",
        "measure_started", "step_ended", "cooled", "state_checked", "fetched", "fetched", "fetched",
        "workload_exited", "sampler", "end",
    ]  # fmt: skip
    assert answer.outcomes["limit"] == "changed"
    assert answer.results["limit"]["after"] == str(64 << 20)
    started = only(answer.events, "workload_started")
    assert only(answer.events, "listener") | {"at": 0, "t": 0} == {
        "event": "listener", "at": 0, "t": 0, "pid": started["pid"], "ours": True,
    }  # fmt: skip
    ended = only(answer.events, "step_ended")
    assert ended["exit"] == 0
    assert ended["warmup_exit"] == 0
    assert "RUNNER_JSON" in ended["stdout"]
    assert ended["max_established"] == 8
    assert ended["cpu_s"] > 0
    assert ended["at_end"]["procfs.stat.12"] >= ended["at_start"]["procfs.stat.12"]
    fetched = {event["name"]: event for event in of(answer.events, "fetched")}
    assert fetched["root"]["status"] == 200
    assert fetched["root"]["text"] == "hello"
    assert "Max open files            2048                 4096" in fetched["limits"]["text"]
    assert f":memory:/{trials.GROUPS.name}/whole" in fetched["groups"]["text"]
    assert fetched["groups"]["step"] == 0
    assert fetched["gone"]["text"] is None
    assert "No such file" in fetched["gone"]["why"]
    exited = only(answer.events, "workload_exited")
    assert exited["expected"]
    assert exited["signal"] == 15
    assert not (trials.GROUPS / "whole").exists()
    names = only(answer.events, "columns")["names"]
    rss = [row["v"][names.index("procfs.status.VmRSS")] for row in of(answer.events, "sample")]
    assert max(value for value in rss if value is not None) > 1000
    counted = [row["v"][names.index("net.sockets")] for row in of(answer.events, "sample")]
    assert 8 in counted


@needs_wrk
def test_fresh_between_steps_is_another_process(host):
    """Each step gets a workload of its own; the port stays."""
    answer = host.ask(program(ping(), **load(step(0), step(1), between="fresh")))
    assert answer.end["ok"], answer.end
    started = of(answer.events, "workload_started")
    assert len({event["pid"] for event in started}) == 2
    assert len({event["port"] for event in started}) == 1
    assert [event["expected"] for event in of(answer.events, "workload_exited")] == [True, True]
    assert [event["exit"] for event in of(answer.events, "step_ended")] == [0, 0]


@needs_wrk
@needs_v1
def test_fresh_between_steps_is_a_fresh_group(host):
    """The group's counters start anew with each step."""
    column = {
        "id": "peak",
        "path": "{cgroup}/memory.max_usage_in_bytes",
        "hz": 20,
        "pick": {"int": True},
    }
    workload = ping("leak", cgroup=memory_group("fresh", None))
    answer = host.ask(
        program(
            workload,
            sample={"hz": 20, "reads": [column]},
            load={
                "between": "fresh",
                "steps": [
                    step(n, argv=[PYTHON, "-c", f"import urllib.request as u\nfor i in range({many}): u.urlopen('http://127.0.0.1:{{port}}/')"])
                    for n, many in enumerate((60, 0))
                ],
            },
        )
    )  # fmt: skip
    assert answer.end["ok"], answer.end
    first, second = (event["at_end"]["peak"] for event in of(answer.events, "step_ended"))
    assert first > 60 << 20
    assert second < first // 2


def test_a_workload_that_exits_at_once(host):
    """Not ready, with its exit code and what it said on stderr."""
    answer = host.ask(program(ping("exit")))
    assert answer.end["ok"]
    exited = only(answer.events, "workload_exited")
    assert (exited["code"], exited["expected"], exited["oom_killed"]) == (7, False, False)
    why = only(answer.events, "aborted")["why"]
    assert "exited with code 7 before it was ready" in why
    assert "cannot start: no such thing" in why
    assert not of(answer.events, "ready")
    assert only(answer.events, "output")["stream"] == "stderr"


@pytest.mark.parametrize(("how", "why"), [("503", "status 503"), ("hang", "no answer within")])
def test_a_server_that_never_answers_well_is_not_ready(host, how, why):
    """A 503 is not a readiness, and neither is an open port."""
    workload = ping(how, ready={"http": "http://127.0.0.1:{port}/", "within_s": 0.5})
    answer = host.ask(program(workload))
    assert answer.end["ok"]
    said = only(answer.events, "aborted")["why"]
    assert said.startswith("not ready within 0.5 s")
    assert why in said
    assert only(answer.events, "workload_exited")["expected"]


@pytest.mark.parametrize(
    "ready",
    [{"tcp": "{port}"}, {"stdout": r"^listening on \d+"}, {"listening": "{port}"}, None],
    ids=["tcp", "stdout", "listening", "none"],
)
def test_the_other_ways_to_be_ready(host, ready):
    """A port that accepts, or a line of output; without any, being started is enough."""
    workload = ping(ready=ready, listen={"port": None} if ready else None)
    workload["env"] = {"PORT": "{port}" if ready else "18081"}
    answer = host.ask(program(workload))
    assert answer.end["ok"], answer.end
    assert only(answer.events, "ready")["after_s"] >= 0
    assert not of(answer.events, "aborted")


@pytest.mark.parametrize(("printed", "asked"), [("stderr", "stderr"), ("stderr", "stdout")])
def test_a_pattern_has_its_stream(host, printed, asked):
    """Loggers print on stderr: it can be asked for, and is named where stdout was."""
    code = f"import sys, time; print('up', file=sys.{printed}, flush=True); time.sleep(60)"
    workload = {"argv": [PYTHON, "-c", code], "ready": {asked: "^up$", "within_s": 1.5}}
    answer = host.ask(program(workload, idle_s=0.1))
    if printed == asked:
        assert of(answer.events, "ready")
        return
    why = only(answer.events, "aborted")["why"]
    assert f"but {printed} has: say `{printed}` in place of `{asked}`" in why


ASKED = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listener.settimeout(0.5)
try:
    listener.accept()
    print("somebody asked", flush=True)
except TimeoutError:
    print("nobody asked", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(("kind", "said"), [("tcp", "somebody"), ("listening", "nobody")])
def test_who_listens_is_looked_at_without_a_connection(host, kind, said):
    workload = {
        "argv": [PYTHON, "-c", ASKED, "{port}"],
        "listen": {"port": None},
        "ready": {kind: "{port}", "within_s": 10},
    }
    answer = host.ask(program(workload, idle_s=1.0))
    assert of(answer.events, "ready")
    assert f"{said} asked" in "".join(event["text"] for event in of(answer.events, "output"))


def test_nobody_who_listens_is_said(host):
    workload = {
        "argv": ["sleep", "60"], "listen": {"port": None},
        "ready": {"listening": "{port}", "within_s": 0.3},
    }  # fmt: skip
    said = only(host.ask(program(workload)).events, "aborted")["why"]
    assert said.startswith("not ready within 0.3 s: nobody listens on port")


def test_a_pattern_that_takes_for_ever_ends_the_trial_and_the_host_is_put_back(host):
    workload = {
        "argv": [PYTHON, "-c", "import time; print('a' * 40 + '!', flush=True); time.sleep(60)"],
        "ready": {"stdout": "(a+)+$", "within_s": 30},
    }
    answer = host.ask(program(workload))
    assert "repeats inside of repeats" in only(answer.events, "aborted")["why"]
    assert only(answer.events, "workload_exited")["expected"]


def test_a_port_that_is_taken_is_never_loaded(host):
    """Somebody else's listener is named, and the workload is not even started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = host.ask(program(ping(listen={"port": port}), network="host"))
    assert answer.end["ok"]
    assert only(answer.events, "listener")["ours"] is False
    assert f"port {port} is taken already by pid" in only(answer.events, "aborted")["why"]
    assert not of(answer.events, "workload_started")


def test_a_namespace_of_its_own_has_the_port_free(host):
    """What listens on the host does not exist there."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        answer = host.ask(program(ping(listen={"port": other.getsockname()[1]})))
    assert answer.end["ok"]
    assert only(answer.events, "listener")["ours"] is True


def test_settings_of_the_namespace_stay_in_it(host):
    """network_cells are written inside, read back, and the host's value is untouched."""
    path = Path("/proc/sys/net/core/somaxconn")
    before = path.read_text()
    cells = [
        {"id": "somaxconn", "via": "pseudo", "path": str(path), "want": "321", "form": "integer"}
    ]
    fetch = [{"name": "inside", "path": str(path), "when": "before"}]
    answer = host.ask(program(ping(), network_cells=cells, fetch=fetch))
    assert answer.end["ok"], answer.end
    assert only(answer.events, "fetched")["text"] == "321\n"
    assert answer.outcomes["somaxconn"] == "changed"
    assert path.read_text() == before


def test_a_setting_that_does_not_stick_is_an_error(host):
    """What the kernel refuses ends the trial before the workload starts."""
    path = "/proc/sys/net/core/somaxconn"
    cells = [{"id": "somaxconn", "via": "pseudo", "path": path, "want": "-5", "form": "integer"}]
    answer = host.ask(program(ping(), network_cells=cells))
    assert answer.error == "bad_program"
    assert only(answer.events, "error")["code"] == "bad_program"
    assert "somaxconn" in answer.end["error"]["message"]
    assert not of(answer.events, "workload_started")


def test_nobody_on_the_port(host):
    """A workload that listens elsewhere is not taken for ready."""
    workload = ping("other-port", ready={"stdout": "listening"})
    fetch = [{"name": "root", "url": "http://127.0.0.1:{port}/", "when": "after", "path": None}]
    answer = host.ask(program(workload, fetch=fetch))
    assert only(answer.events, "listener") | {"at": 0, "t": 0} == {
        "event": "listener", "at": 0, "t": 0, "pid": None, "ours": False,
    }  # fmt: skip
    assert "nobody listens on port" in only(answer.events, "aborted")["why"]


def test_a_program_that_needs_no_port_may_leave_it(host):
    """A port is chosen for every workload; one that nothing asks for is not demanded."""
    workload = ping("other-port", ready={"stdout": "listening"})
    workload["argv"] = [
        PYTHON,
        "-c",
        "import time; print('listening', flush=True); time.sleep(600)",
    ]
    answer = host.ask(program(workload))
    assert answer.end["ok"]
    assert not of(answer.events, "aborted")


def test_a_workload_that_goes_to_the_background(host):
    """Its first process exits 0: said so, and what it left behind is ended."""
    workload = ping("background", ready={"stdout": "listening"})
    answer = host.ask(program(workload, idle_s=30))
    exited = only(answer.events, "workload_exited")
    assert exited["code"] == 0
    assert not exited["expected"]
    assert only(answer.events, "aborted")["why"].startswith("the workload exited with code 0")
    assert not any(trials.alive(pid) for pid in exited["left"])


def test_a_child_of_the_workload_may_listen(host):
    """Servers that fork workers are theirs all the same."""
    answer = host.ask(program(ping("fork")))
    assert answer.end["ok"], answer.end
    listener, started = only(answer.events, "listener"), only(answer.events, "workload_started")
    assert listener["ours"]
    assert listener["pid"] != started["pid"]
    assert not trials.alive(listener["pid"])


@needs_wrk
def test_a_workload_that_dies_under_load(host):
    """The generator is stopped, still says what it has, and the trial is aborted with the reason."""
    answer = host.ask(program(ping("die-under-load"), **load(step(seconds=30), step(1))))
    assert answer.end["ok"], answer.end
    exited = only(answer.events, "workload_exited")
    assert (exited["code"], exited["expected"], exited["left"]) == (3, False, [])
    ended = only(answer.events, "step_ended")
    assert ended["cut"].startswith("the workload exited with code 3")
    assert "RUNNER_JSON" in ended["stdout"]
    assert only(answer.events, "aborted")["why"] == ended["cut"]


@needs_v1
def test_an_oom_kill_is_told_from_any_other_sigkill(host):
    """The group's counter says it; the host's memory is not touched."""
    ask = "import urllib.request as u\nwhile 1: u.urlopen('http://127.0.0.1:{port}/', timeout=5)"
    workload = ping("leak", cgroup=memory_group("oom", "48M"))
    reads = [
        {
            "id": "oom",
            "path": "{cgroup}/memory.oom_control",
            "hz": 20,
            "pick": {"keys": ["oom_kill"]},
        }
    ]
    one = step(seconds=60, argv=[PYTHON, "-c", ask])
    answer = host.ask(program(workload, sample={"hz": 20, "reads": reads}, load={"steps": [one]}))
    exited = only(answer.events, "workload_exited")
    assert (exited["signal"], exited["oom_killed"], exited["expected"]) == (9, True, False)
    ended = only(answer.events, "step_ended")
    assert ended["at_start"]["oom.oom_kill"] == 0
    assert ended["at_end"]["oom.oom_kill"] >= 1
    assert only(answer.events, "aborted")["why"] == "the workload was OOM-killed in its cgroup"


@needs_v1
def test_a_limit_on_oom_kills_aborts(host):
    """The workload itself may live on: its child was killed."""
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n    x = bytearray(b'x' * (200 << 20)); time.sleep(600)\n"
        "print('begun', flush=True); time.sleep(600)"
    )
    workload = {
        "argv": [PYTHON, "-I", "-S", "-c", code],
        "ready": {"stdout": "begun", "within_s": 10},
        "cgroup": memory_group("child", "32M"),
    }
    abort = {"workload_dead_s": 1, "oom_kills": 1}
    answer = host.ask(program(workload, idle_s=60, abort=abort))
    assert only(answer.events, "aborted")["why"] == "1 OOM kills in the workload's cgroup"
    assert only(answer.events, "workload_exited")["expected"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_a_server_prints_aborts(host, stream):
    code = (
        "import sys, time\nprint('begun', flush=True)\ntime.sleep(0.3)\n"
        f"print('FATAL: disk', file=sys.{stream}, flush=True)\ntime.sleep(600)"
    )
    workload = {
        "argv": [PYTHON, "-I", "-S", "-c", code],
        "ready": {"stdout": "begun", "within_s": 10},
    }
    abort = {"workload_dead_s": 1, "oom_kills": None, "printed": {stream: ["^FATAL"]}}
    answer = host.ask(program(workload, idle_s=60, abort=abort))
    assert only(answer.events, "aborted")["why"] == f"{stream} matches '^FATAL'"
    assert only(answer.events, "workload_exited")["expected"]


def test_the_last_word_of_a_program_that_ends_aborts_too(host):
    """Also without an end of the line, and however fast it is over."""
    code = "print('FATAL: disk', end='')"
    workload = {"argv": [PYTHON, "-I", "-S", "-c", code], "run": "once", "within_s": 60}
    abort = {"workload_dead_s": 1, "oom_kills": None, "printed": {"stdout": ["^FATAL"]}}
    answer = host.ask(program(workload, abort=abort))
    assert only(answer.events, "aborted")["why"] == "stdout matches '^FATAL'"
    other = {**abort, "printed": {"stderr": ["^FATAL"]}}
    assert not of(host.ask(program(workload, abort=other)).events, "aborted")


@needs_v1
def test_a_group_that_is_somebody_elses_is_left(host):
    """It is neither used nor removed."""
    group = memory_group("strange", "64M")
    folder = Path(group["join"][0])
    folder.mkdir(parents=True)
    try:
        answer = host.ask(program(ping(cgroup=group)))
        assert answer.error == "bad_program"
        assert "was not made by a trial" in answer.end["error"]["message"]
        assert folder.is_dir()
    finally:
        folder.rmdir()
        folder.parent.rmdir()


@needs_v1
def test_a_limit_that_the_kernel_refuses(host):
    """Nothing is started under a limit that is not there, and the group goes."""
    answer = host.ask(program(ping(cgroup=memory_group("bad", "a lot"))))
    assert answer.error == "bad_program"
    assert "limit" in answer.end["error"]["message"]
    assert not (trials.GROUPS / "bad").exists()


def test_a_program_that_runs_once(host):
    """Its whole output comes, and its end is expected when it is good."""
    code = (
        "import os; print('x' * 100); print(os.environ['SIZE'], os.environ.get('HOME') is not None)"
    )
    workload = {"argv": [PYTHON, "-c", code], "env": {"SIZE": "12"}, "run": "once", "within_s": 60}
    answer = host.ask(program(workload))
    assert answer.end["ok"], answer.end
    exited = only(answer.events, "workload_exited")
    assert (exited["code"], exited["expected"]) == (0, True)
    text = "".join(event["text"] for event in of(answer.events, "output"))
    assert text == "x" * 100 + "\n12 True\n"


def test_a_program_that_runs_once_and_fails(host):
    """A bad exit is not expected."""
    answer = host.ask(program({"argv": ["false"], "run": "once"}))
    assert answer.end["ok"]
    exited = only(answer.events, "workload_exited")
    assert (exited["code"], exited["expected"]) == (1, False)


def test_a_program_that_should_run_once_and_hangs(host):
    """It is ended after its time."""
    answer = host.ask(program({"argv": ["sleep", "600"], "run": "once", "within_s": 0.2}))
    late = only(answer.events, "aborted")
    assert late["why"] == "the workload did not end within 0.2 s"
    assert (late["timed_out"], "limit_s" in late) == (True, False)


def test_a_limit_of_time_is_of_the_program_and_its_result(host):
    """It counts from its exec on, whatever is done before it is waited for."""
    hangs = {"argv": ["sleep", "600"], "run": "once", "within_s": 60, "timeout_s": 0.6}
    answer = host.ask(program(hangs, idle_s=0.4))
    late, ended = only(answer.events, "aborted"), only(answer.events, "workload_exited")
    assert (late["timed_out"], late["limit_s"]) == (True, 0.6)
    assert answer.end["ok"]
    assert 0.6 <= ended["wall_s"] < 0.95


@pytest.mark.parametrize(
    ("pair", "number", "out"),
    [((1, 1), "SIGKILL", True), ((1, 9), "SIGXCPU", True), ((9, 9), "SIGKILL", False)],
)
def test_a_limit_of_cpu_time_is_told_from_a_kill(host, pair, number, out):
    """The kernel sends SIGXCPU at the soft limit and SIGKILL at the hard one."""
    code = "import os\nwhile True: pass" if out else "import os; os.kill(os.getpid(), 9)"
    limited = {"argv": [PYTHON, "-I", "-S", "-c", code], "run": "once", "within_s": 60}
    answer = host.ask(program({**limited, "limits": {"cpu": list(pair)}}))
    ended = only(answer.events, "workload_exited")
    assert (ended["signal"], ended["out_of_cpu"]) == (signal.Signals[number], out)


def test_a_workload_deaf_to_sigterm_is_killed(host):
    """After the grace it gets SIGKILL."""
    answer = host.ask(program(ping("deaf"), stop={"signal": "TERM", "grace_s": 0.2}))
    assert answer.end["ok"]
    assert only(answer.events, "workload_exited")["signal"] == 9


def test_the_binary_is_the_one_that_was_sent(host):
    """{binary} is the blob, run as it is, and its hash is recorded."""
    data = Path(shutil.which("env") or "/usr/bin/env").read_bytes()
    sha = hashlib.sha256(data).hexdigest()
    path = host.state / "blobs" / sha
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    path.chmod(0o700)
    workload = {
        "argv": ["{binary}"],
        "env": {"WHERE": "{dir}"},
        "run": "once",
        "warm": ["{binary}"],
    }
    upload = {"binary": {"sha256": sha, "size": len(data)}}
    answer = host.ask(program(workload, upload=upload))
    assert answer.end["ok"], answer.end
    assert only(answer.events, "workload_started")["binary_sha256"] == sha
    folder = trials.spool(host.state, host.run).parent
    assert f"WHERE={folder}" in only(answer.events, "output")["text"]
    path.write_bytes(data[:-1])
    again = host.ask(program(workload, upload=upload, trial="t2"))
    assert again.error == "not_found"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"argv": ["/no/such/program"]}, "not_found"),
        ({"argv": ["no-such-program"]}, "not_found"),
        ({"argv": ["/etc/passwd"]}, "bad_program"),
        ({"cwd": "/no/such/folder"}, "bad_program"),
        ({"cpus": [4095]}, "bad_program"),
        ({"warm": ["/no/such/file"]}, "not_found"),
    ],
)
def test_what_cannot_be_started_is_an_error_and_not_an_exit(host, change, code):
    """The stage at which the start failed is named; there is no `workload_exited`."""
    answer = host.ask(program({"argv": ["true"], "run": "once", **change}))
    assert answer.error == code, answer.end
    assert not of(answer.events, "workload_exited")
    assert only(answer.events, "error")["message"] == answer.end["error"]["message"]


def test_without_aslr_addresses_repeat(host):
    """The personality holds at exec: two runs map the same; with ASLR they do not."""
    # the stack: an interpreter that is not a PIE (Debian's) has its text at a fixed address always
    code = "print([x for x in open('/proc/self/maps') if '[stack]' in x][0].split('-')[0])"

    def first_address(trial, aslr):
        workload = {"argv": [PYTHON, "-I", "-S", "-c", code], "run": "once", "aslr": aslr}
        answer = host.ask(program(workload, trial=trial))
        return only(answer.events, "output")["text"]

    assert first_address("a", False) == first_address("b", False)
    assert first_address("c", True) != first_address("d", True)


def test_a_generator_that_hangs_is_ended_at_its_timeout(host):
    """Its exit is null, and the trial goes on with the next step."""
    slow = step(0, argv=["sleep", "600"], timeout_s=0.2)
    quick = step(1, argv=["true"])
    answer = host.ask(program(ping(), load={"steps": [slow, quick], "between": "keep"}))
    assert answer.end["ok"], answer.end
    first, second = of(answer.events, "step_ended")
    assert (first["exit"], first["timed_out"]) == (None, True)
    assert (second["exit"], second["timed_out"]) == (0, False)


def test_a_generator_that_is_not_installed(host):
    """An error by name, and the workload is stopped all the same."""
    answer = host.ask(program(ping(), load={"steps": [step(argv=["no-such-generator"])]}))
    assert answer.error == "not_found"
    assert "no-such-generator" in answer.end["error"]["message"]
    assert only(answer.events, "workload_exited")["expected"]


def test_a_generator_gets_the_files_that_its_connections_need(host):
    """The soft limit is raised for it: a generator does not raise its own."""
    argv = [PYTHON, "-c", "import resource as r; print(r.getrlimit(r.RLIMIT_NOFILE)[0])"]
    answer = host.ask(program(None, load={"steps": [step(argv=argv, connections=20000)]}))
    given = only(answer.events, "step_started")["nofile"]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert given >= 1.2 * 20000 + 512 or given == hard
    assert int(only(answer.events, "step_ended")["stdout"]) == given


def test_output_without_end_does_not_stall_anything(host):
    """Megabytes on stdout are drained; what is over the bound is skipped and counted."""
    code = "import sys\nfor i in range(400): sys.stdout.write('y' * 50000 + '\\n')"
    answer = host.ask(program({"argv": [PYTHON, "-c", code], "run": "once"}))
    assert answer.end["ok"]
    outputs = of(answer.events, "output")
    size = sum(len(event["text"]) for event in outputs)
    assert size + outputs[-1]["skipped"] == 400 * 50001
    assert size < 12 << 20
