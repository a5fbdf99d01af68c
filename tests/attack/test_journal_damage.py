"""The host's journal is deleted, zeroed, cut or changed while a run is on.

What can be put back is; the rest is named with what was there before; never exit 0 with a
host that is not as it was.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.apply.conftest import ROOT, Cli
from tests.attack.conftest import points
from tests.host.agent import Answer, Host, pseudo
from tests.workers import kernel

pytestmark = kernel
SOMAXCONN, FIN = "/proc/sys/net/core/somaxconn", "/proc/sys/net/ipv4/tcp_fin_timeout"
KEYS = (SOMAXCONN, FIN)
SPEC = """\
schema: experiment/1
name: damage
system: {{sysctl: {{net.core.somaxconn: 1234, net.ipv4.tcp_fin_timeout: 31}}, files: {{{file}: {{content: new}}}}}}
workload: {{argv: [{python}, -c, {code}], run: once}}
metrics: {{wall: {{from: workload.exit_code}}}}
"""
DAMAGE = {
    "deleted": "os.unlink(j)",
    "zeroed": "open(j, 'r+b').write(bytes(os.path.getsize(j)))",
    "emptied": "open(j, 'w').close()",
    "half a line": "t = open(j, 'rb').read().split(b'\\n'); open(j, 'wb').write(t[0][:60])",
    "another prior value": "t = open(j).read().replace('\"prior\":\"' + was + '\"', '\"prior\":\"777\"'); open(j, 'w').write(t)",
    "another path": "t = open(j).read().replace('core/somaxconn', 'core/netdev_max_backlog'); open(j, 'w').write(t)",
    "a line less": "t = open(j).read().splitlines(True); open(j, 'w').writelines(t[1:])",
    "a folder": "os.unlink(j); os.mkdir(j)",
    "noise": "open(j, 'wb').write(os.urandom(3000))",
    "done by nobody": "open(j, 'a').write(json.dumps({'done': [1, 2, 3]}) + '\\n')",
}  # fmt: skip


def read(path: str) -> str:
    return Path(path).read_text().strip()


def namespace(*argv: str) -> list[str]:
    return ["unshare", "-n", *argv]


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_run_whose_journal_is_damaged_does_not_end_well(tmp_path: Path, kind: str) -> None:
    """The workload itself does it, as root: the last moment at which it may happen."""
    if os.geteuid() != 0:
        pytest.skip("changing sysctls needs root")
    state = tmp_path / "state"
    file = tmp_path / "conf"
    file.write_text("old")
    code = (
        f"import os, json; j = {str(state / 'journal.jsonl')!r}; "
        f"was = {read(SOMAXCONN)!r}; {DAMAGE[kind]}"
    )
    cli = Cli(tmp_path, ["--state-dir", str(state)])
    spec = cli.spec(
        SPEC.format(file=file, python=sys.executable, code=json.dumps(code)), "exp.yaml"
    )
    before = {key: read(key) for key in KEYS}
    # of a network namespace of its own: what is left changed goes with it
    script = (
        f"{sys.executable} -m runner apply {spec} --state-dir {state}; echo code $?; "
        f"cat {' '.join(KEYS)} {file}; echo; {sys.executable} -m runner restore local --state-dir {state}; "
        "echo again $?"
    )
    done = subprocess.run(
        namespace("sh", "-c", script), cwd=ROOT, env=cli.env(), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=110, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "code 2" in said, said
    somaxconn, fin, text = done.stdout.split("code 2\n")[1].splitlines()[:3]
    named = {
        "sysctl:net.core.somaxconn": (somaxconn, before[SOMAXCONN]),
        "sysctl:net.ipv4.tcp_fin_timeout": (fin, before[FIN]),
        f"files:{file}": (text, "old"),
    }
    left = {name: was for name, (now, was) in named.items() if now != was}
    for name, was in left.items():
        assert name in done.stderr
        assert "before the run" in done.stderr
        assert repr(was) in done.stderr or "3 bytes (sha256" in done.stderr
    # what is left is said as long as it is so
    assert ("again 2" in said) == (bool(left) or (state / "journal.jsonl").exists()), said


def converged(host: Host, tmp_path: Path) -> tuple[Path, list[bytes]]:
    (tmp_path / "f").write_text("old")
    want = {"type": "file", "bytes_b64": "bmV3"}
    file = {"id": "f", "via": "file", "path": str(tmp_path / "f"), "form": "file",
            "runtime": False, "want": want}  # fmt: skip
    answer = host.converge(pseudo(SOMAXCONN, "1234"), pseudo(FIN, "31"), file)
    assert set(answer.outcomes.values()) == {"changed"}
    path = host.state / "journal.jsonl"
    return path, path.read_bytes().splitlines(keepends=True)


WRONG: list[Any] = [
    {"n": None}, {"n": "1"}, {"run": 3}, {"boot_id": None}, {"at": "now"}, {"cell": []},
    {"cell": {"id": "x"}}, {"cell": {"id": "x", "via": "pseudo"}}, {"runtime": "yes"},
    {"cell": {"id": "x", "via": "pseudo", "path": "relative"}},
    {"cell": {"id": "x", "via": "pseudo", "path": "/proc/../etc/passwd"}},
    {"cell": {"id": "x", "via": "file", "path": "/x"}, "prior": "text"},
    {"cell": {"id": "x", "via": "file", "path": "/x"}, "prior": {"type": "file"}},
    {"cell": {"id": "x", "via": "argv", "name": "n", "read": "sh -c"}},
    {"cell": {"id": "x", "via": "pseudo", "path": "/x", "form": "odd"}},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_one_bad_line_costs_its_own_cell(net: Host, tmp_path: Path, wrong: dict[str, Any]) -> None:
    before = net_values(net)
    path, lines = converged(net, tmp_path)
    at = next(n for n, line in enumerate(lines) if b"somaxconn" in line and b'"prior"' in line)
    lines[at] = json.dumps({**json.loads(lines[at]), **wrong}).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    answer = net.restore()
    assert not answer.end["ok"]
    assert answer.error is None, answer.end
    assert path.exists(), "a journal that is damaged is kept"
    assert net_values(net)[FIN] == before[FIN]
    assert (tmp_path / "f").read_text() == "old"
    assert any("damaged" in str(one["why"]) for one in answer.results.values())


def net_values(net: Host) -> dict[str, str]:
    values = net.probe(*(pseudo(key) for key in KEYS)).events
    return {event["id"]: event["value"] for event in values if event["event"] == "value"}


HOLDS = [
    "", "null", "[]", "{}", "3", '"run"', '{"run": 3}', '{"run": "x"}', '{"run": "x", "seen": "now"}',
    '{"run": "x", "seen": null, "since": [], "pid": "one", "lease_s": {}}', '{"run": "x", "pid": 1e99}',
    '{"run": "x", "seen": NaN, "lease_s": Infinity}', "[" * 100_000, "\x00" * 100, '{"run": "x"',
]  # fmt: skip


@pytest.mark.parametrize("text", HOLDS, ids=lambda text: text[:40])
def test_whatever_the_hold_says_the_host_can_be_put_back(
    net: Host, tmp_path: Path, text: str
) -> None:
    before = net_values(net)
    converged(net, tmp_path)
    (net.state / "hold.json").write_text(text)
    assert net.ask({"program": "status"}).error is None
    assert net.restore(force=True).end["ok"]
    assert net_values(net) == before
    assert net.converge(pseudo(FIN, "33")).end["ok"]
    assert net.restore().end["ok"]


def test_a_hold_that_is_no_file(net: Host, tmp_path: Path) -> None:
    converged(net, tmp_path)
    (net.state / "hold.json").unlink()
    (net.state / "hold.json").mkdir()
    assert net.ask({"program": "status"}).error is None
    assert net.restore().end["ok"]


def test_stray_files_in_the_state_folder_are_left_alone(net: Host, tmp_path: Path) -> None:
    converged(net, tmp_path)
    strays = [
        "journal.done/notes.txt", "journal.done/README", "runs/file", "runs/a run/odd trial/spool.jsonl",
        "runs/r/t/spool.jsonl/x", "agent/notes", "blobs/notes", "hold.json.bak", ".swp",
    ]  # fmt: skip
    for name in strays:
        (net.state / name).parent.mkdir(parents=True, exist_ok=True)
        (net.state / name).write_text("mine\n")
    assert net.ask({"program": "status"}).error is None
    assert net.restore().end["ok"]
    assert net.ask({"program": "status"}).error is None
    left = {name for name in strays if (net.state / name).exists()}
    assert left == set(strays)


@pytest.mark.parametrize("how", ["removed", "cut", "all but the folder"])
def test_an_agent_that_lost_a_file_is_sent_again(host: Host, how: str) -> None:
    assert host.probe().error is None
    (home,) = (host.state / "agent").iterdir()
    module = home / "runner_host" / "programs" / "restore.py"
    if how == "removed":
        module.unlink()
    elif how == "cut":
        module.write_text("")
    else:
        shutil.rmtree(home)
        home.mkdir()
    assert not host.has_agent()
    assert host.restore().end["ok"]
    assert host.has_agent()
    assert [path.name for path in (host.state / "agent").iterdir()] == [home.name]


def mutated(random_: random.Random, data: bytes) -> bytes:
    """Change a journal as a bad card, a bad editor or a bad neighbour would."""
    lines = data.split(b"\n")
    for _ in range(random_.randint(1, 3)):
        at = random_.randrange(len(lines))
        line = lines[at]
        match random_.randrange(8):
            case 0:
                lines[at] = line[: random_.randint(0, len(line))]
            case 1:
                lines[at] = bytes(len(line))
            case 2:
                del lines[at]
                lines = lines or [b""]
            case 3:
                lines.insert(at, random_.choice(lines))
            case 4:
                place = random_.randint(0, len(line))
                lines[at] = line[:place] + random_.randbytes(3) + line[place + 3 :]
            case 5:
                lines[at] = line.replace(b'"n":1', b'"n":9').replace(b"path", b"name")
            case 6:
                lines[at] = line + b'{"undo": "x"}'
            case 7:
                words = line.split(b",")
                random_.shuffle(words)
                lines[at] = b",".join(words)
    return b"\n".join(lines)


def test_a_mutated_journal_is_read_without_a_fault(net: Host, tmp_path: Path) -> None:
    """Whatever it says, it can be read, added to and read again."""
    from runner.host.state import journal

    path, lines = converged(net, tmp_path)
    whole = journal.read(str(path))
    random_ = random.Random(18)
    copy = tmp_path / "copy.jsonl"
    for _ in range(points(2000, 20_000)):
        copy.write_bytes(mutated(random_, b"".join(lines)))
        found = journal.read(str(copy))
        journal.seal(str(copy), {1: "x"})
        again = journal.read(str(copy))
        assert [vars(one)["n"] for one in again.changes] == [one.n for one in found.changes]
        assert len(again.damaged) >= len(found.damaged)
    assert net.restore().end["ok"]
    assert len(whole.changes) == 3


def test_a_mutated_journal_restores_what_it_can(net: Host, tmp_path: Path) -> None:
    random_ = random.Random(19)
    for _ in range(points(20, 200)):
        path, lines = converged(net, tmp_path)
        path.write_bytes(mutated(random_, b"".join(lines)))
        answer: Answer = net.restore(force=True)
        assert answer.error is None, answer.end
        assert "Traceback" not in answer.stderr
        path.unlink(missing_ok=True)
        net.converge(pseudo(SOMAXCONN, "4096"), pseudo(FIN, "60"))
        path.unlink(missing_ok=True)
        (tmp_path / "f").write_text("old")
