"""`workload.prepare` in whole trials: in order, in every one, with its own time and its own error."""

from __future__ import annotations

import json
import os

import pytest

from runner.store.record import RunFolder

SPEC = r"""
schema: experiment/1
name: prepared
factors: {size: [3, 5]}
workload:
  argv: [python3, server.py, "{port}"]
  cwd: "CWD"
  env: {MARK: m}
  ready: {tcp: "{port}"}
  prepare:
    - {actions: [sync, ACTION]}
    - {run: [sh, -c, "echo before $MARK >> log"]}
    - {run: [python3, seed.py, "{port}", "{size}"], when: ready}
load: {generator: command, argv: [python3, ask.py, "{port}"], connections: 1, measure: 1s, numbers: {requests: 'seen (\d+)'}}
repeat: 2
metrics:
  seen: {from: load.requests}
  took: {from: prepare.wall}
  started: {from: workload.ready_after}
"""
KEPT = (
    "repeat: 1\nhealthy: [load.requests > 0]\n"
    "search: {find: highest healthy connections, between: [1, 9], workload: keep}"
)
SERVER = """
import socket, sys, threading
kept = []
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = listening.accept()
    said = client.recv(100)
    if said.startswith(b"put"):
        kept.append(said)
    client.sendall(str(len(kept)).encode())
    client.close()
"""
SEED = """
import socket, sys, time
time.sleep(1)
for _ in range(int(sys.argv[2])):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as one:
        one.sendall(b"put")
        one.recv(10)
"""
ASK = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as one:
    one.sendall(b"get")
    print("seen", one.recv(10).decode())
"""


@pytest.fixture
def scene(tmp_path):
    for name, text in (("server", SERVER), ("seed", SEED), ("ask", ASK)):
        (tmp_path / f"{name}.py").write_text(text)
    # the agent writes to a kernel key where it may
    action = "drop_caches" if os.access("/proc/sys/vm/drop_caches", os.W_OK) else "sync"
    text = SPEC.replace("CWD", str(tmp_path)).replace("ACTION", action)
    return text.replace("ask.py", str(tmp_path / "ask.py"))


def trials(local):
    (folder,) = (local.reports / "prepared").glob("2*")
    return json.loads((folder / "artifacts" / "analysis.json").read_text())


def test_every_trial_is_prepared_anew(local, scene, tmp_path):
    """Each treatment's own seed is in its server, the seed's second in no other number."""
    local.apply(local.spec(scene))
    found = {(e["metric"], e["treatment"]["size"]): e["values"] for e in trials(local)["estimates"]}
    assert found["seen", "3"] == [3, 3]
    assert found["seen", "5"] == [5, 5]
    assert all(took >= 1 for size in "35" for took in found["took", size])
    ran = trials(local)["trials"]  # a guard may have one run again
    assert len({(trial["treatment"]["size"], trial["repetition"]) for trial in ran}) == 4
    # and one that found its port taken is prepared for its next one
    (run,) = (local.reports / "prepared").glob("2*")
    said = [event for one in ran for event in RunFolder.open(run).iter_events(one["id"])]
    seen = [event.index for event in said if event.kind == "prepared"]
    assert seen.count(1) >= len(ran)
    assert (tmp_path / "log").read_text() == "before m\n" * seen.count(1)


FRESH = """
schema: experiment/1
name: prepared
workload:
  argv: [python3, server.py, "{port}"]
  cwd: "CWD"
  ready: {tcp: "{port}"}
  prepare: [{run: [sh, -c, "echo >> log; sleep 0.$(wc -l < log)"]}]
load:
  generator: command
  argv: [python3, ask.py, "{port}", "{connections}"]
  steps: {from: 1, to: 3, by: 1}
  between_steps: fresh
  measure: 1s
  numbers: {requests: 'seen (\\d+)'}
healthy: [load.requests > 0]
metrics: {took: {from: prepare.wall}, said: {from: stdout.regex, pattern: 'on line (\\d+)'}}
"""


def test_a_fresh_workload_has_its_own_numbers_in_its_step(local, scene, tmp_path):
    """What it was prepared with and what it printed are not those of another step's."""
    text = FRESH.replace("CWD", str(tmp_path)).replace("ask.py", str(tmp_path / "ask.py"))
    told = 'print("on line", len(open("log").readlines()), flush=True)\n'
    (tmp_path / "server.py").write_text(told + SERVER)
    local.apply(local.spec(text))
    (trial,) = trials(local)["trials"]
    numbers = [step["numbers"] for step in trial["steps"]]
    (name,) = (name for name in numbers[0] if name.startswith("stdout.regex"))
    said = [int(one[name]) for one in numbers]
    assert said == sorted(set(said)), "one of each"
    assert len(said) == 3
    for line, one in zip(said, numbers, strict=True):
        assert line / 10 <= one["prepare.wall"] < line / 10 + 0.1


def test_a_failure_is_an_error_of_its_own(local, scene, tmp_path):
    (tmp_path / "seed.py").write_text("import sys; sys.exit('no table of that name')")
    local.apply(local.spec(scene), code=2)
    whys = {trial["outcome"]: trial["why"] for trial in trials(local)["trials"]}
    assert list(whys) == ["error"]
    assert whys["error"].startswith("prepare: python3 seed.py ")
    assert "exited with code 1" in whys["error"] or "exit" in whys["error"]
    assert "it said: no table of that name" in whys["error"]


def test_one_that_does_not_end_is_ended(local, scene, tmp_path):
    (tmp_path / "seed.py").write_text("import time; time.sleep(600)")
    local.apply(local.spec(scene.replace("when: ready}", "when: ready, within: 1s}")), code=2)
    assert "did not end within 1 s" in trials(local)["trials"][0]["why"]


def test_the_plan_lists_what_would_run(local, scene):
    said = local("plan", str(local.spec(scene)), "--offline").stdout
    assert "python3 seed.py {port} 3" in said
    assert "ready in every trial" in said
    assert "the effect of the action sync, in every trial" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("argv: [python3, server.py", "run: once\n  argv: [python3, server.py"), "never ready"),
        (("ready: {tcp", "# ready: {tcp"), "say `ready`, when that is"),
        (("actions: [sync,", "actions: [dorp_caches,"), "sync"),
        (("{run: [sh", "{actions: sync, run: [sh"), "exactly one of actions and run"),
        (("repeat: 2", KEPT), "prepared once for all trials"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(local, scene, change, said):
    done = local("validate", str(local.spec(scene.replace(*change))), code=3)
    assert said in done.stdout + done.stderr
