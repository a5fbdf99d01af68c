"""A file is declared in a folder of another user, who plants links there."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.attack.conftest import NOBODY, points
from tests.host.agent import Host

SECRET = "correct horse battery staple"
ATTACKER = """
import os, sys
folder, victim, told = sys.argv[1:]
os.setgroups([]); os.setgid(65534); os.setuid(65534)
kept, seen = [], 0
print("ready", flush=True)
while not os.path.exists(folder + "/stop"):
    for name in os.listdir(folder):
        if not name.startswith(".runner-"):
            continue
        seen += 1
        path = folder + "/" + name
        for act in (
            lambda: kept.append(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)),
            lambda: os.unlink(path),
            (lambda: os.symlink(victim, path)) if seen % 2 else (lambda: os.link(victim, path)),
        ):
            try: act()
            except OSError: pass
read = b"".join(os.pread(fd, 1000, 0) for fd in kept)
print(seen, read.hex(), flush=True)
"""


def cell(path: Path | str, text: str = SECRET, **more: Any) -> dict[str, Any]:
    want = {"type": "file", "bytes_b64": base64.b64encode(text.encode()).decode(), "mode": 0o600}
    return {"id": "f", "via": "file", "path": str(path), "form": "file", "runtime": False,
            "secret": True, "want": {**want, **more}}  # fmt: skip


def look(path: Path) -> tuple[Any, ...]:
    found = path.lstat()
    return found.st_uid, found.st_gid, found.st_mode, found.st_ino, path.read_bytes()


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("root's own\n")
    path.chmod(0o644)
    return path


def test_the_name_of_a_new_file_cannot_be_foreseen(host: Host, foreign: Path, victim: Path) -> None:
    """What the older names were is planted; all names are of 128 random bits now."""
    from runner.host.cells import files
    from runner.host.digest import sha256

    old = foreign / f".runner-{sha256(b'conf').hexdigest()[:16]}.new"
    old.symlink_to(victim)
    before = look(victim)
    assert host.converge(cell(foreign / "conf")).outcomes == {"f": "changed"}
    assert look(victim) == before
    assert (foreign / "conf").read_text() == SECRET
    assert host.restore().outcomes == {"f": "restored"}
    assert old.is_symlink()
    assert len({name for _ in range(100) for name in files.names()}) == 200


def test_a_planted_link_is_replaced_and_not_followed(
    host: Host, foreign: Path, victim: Path
) -> None:
    (foreign / "conf").symlink_to(victim)
    before = look(victim)
    host.converge(cell(foreign / "conf"))
    assert look(victim) == before
    host.restore()
    assert (foreign / "conf").readlink() == victim
    assert look(victim) == before


def test_a_link_to_a_folder_on_the_way_is_refused(
    host: Host, foreign: Path, tmp_path: Path
) -> None:
    target = tmp_path / "etc"
    target.mkdir()
    (foreign / "sub").symlink_to(target)
    os.lchown(foreign / "sub", NOBODY, NOBODY)
    done = host.converge(cell(foreign / "sub" / "conf"))
    assert done.outcomes == {"f": "failed"}
    assert "not followed" in done.results["f"]["why"]
    assert list(target.iterdir()) == []


def test_a_link_of_roots_in_roots_folder_is_followed(host: Host, tmp_path: Path) -> None:
    """`/lib` and `/var/run` are such links."""
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to("real")
    assert host.converge(cell(tmp_path / "way" / "conf")).outcomes == {"f": "changed"}
    assert (tmp_path / "real" / "conf").read_text() == SECRET
    host.restore()
    assert list((tmp_path / "real").iterdir()) == []


def test_a_hard_link_to_a_foreign_file_is_left_alone(
    host: Host, foreign: Path, victim: Path
) -> None:
    os.link(victim, foreign / "conf")
    before = look(victim)
    done = host.converge(cell(foreign / "conf"))
    assert done.outcomes == {"f": "failed"}
    assert "has 2 names" in done.results["f"]["why"]
    assert look(victim) == before


def test_a_hard_link_in_a_folder_of_ones_own_stays_one(host: Host, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    os.link(tmp_path / "a", tmp_path / "b")
    assert host.converge(cell(tmp_path / "a")).outcomes == {"f": "changed"}
    assert (tmp_path / "b").read_text() == SECRET
    assert host.restore().outcomes == {"f": "restored"}
    assert (tmp_path / "b").read_text() == "old"


def test_a_fifo_in_the_place_of_a_file_does_not_hang(host: Host, foreign: Path) -> None:
    os.mkfifo(foreign / "conf")
    assert host.converge(cell(foreign / "conf")).outcomes == {"f": "failed"}


@pytest.mark.parametrize("kind", ["symlink", "dir"])
def test_owner_and_mode_reach_only_what_was_made(
    host: Host, foreign: Path, victim: Path, kind: str
) -> None:
    before = look(victim)
    want: dict[str, Any] = {"type": kind, "uid": NOBODY, "gid": NOBODY}
    want |= {"target": str(victim)} if kind == "symlink" else {"mode": 0o700}
    host.converge({**cell(foreign / "x"), "want": want})
    assert (foreign / "x").lstat().st_uid == NOBODY
    assert look(victim) == before
    assert host.restore().outcomes == {"f": "restored"}
    assert not os.path.lexists(foreign / "x")


@pytest.mark.parametrize("path", ["//conf", "/./conf", "/x//y/conf"])
def test_one_path_is_one_thing_however_it_is_written(host: Host, tmp_path: Path, path: str) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    plain = str(tmp_path) + path.replace("/.", "").replace("//", "/")
    Path(plain).write_text("old")
    host.converge(cell(plain, "one"))
    host.converge({**cell(f"{tmp_path}{path}", "two"), "id": "g"})
    assert Path(plain).read_text() == "two"
    assert len(host.restore().outcomes) == 1
    assert Path(plain).read_text() == "old"


def test_somebody_who_is_at_it_all_the_time(host: Host, foreign: Path, victim: Path) -> None:
    """Reads, removes and replaces each new file as soon as it sees it: nothing escapes."""
    victim.chmod(0o600)
    before = look(victim)
    (foreign / "conf").write_text("as it was")
    os.chown(foreign / "conf", NOBODY, NOBODY)
    was = look(foreign / "conf")
    attacker = subprocess.Popen(
        [sys.executable, "-c", ATTACKER, str(foreign), str(victim), "x"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert attacker.stdout is not None
    assert attacker.stdout.readline() == "ready\n"
    try:
        for _ in range(points(10, 200)):
            host.converge(cell(foreign / "conf", uid=0, gid=0))
            answer = host.restore(force=True)
            # one who removes each new file can keep it from coming; that is said, not passed over
            assert set(answer.outcomes.values()) <= {"ok", "restored", "failed"}
            assert look(victim) == before
    finally:
        (foreign / "stop").touch()
        seen, _, read = attacker.communicate(timeout=20)[0].strip().partition(" ")
    assert SECRET.encode() not in bytes.fromhex(read)
    assert int(seen) >= 0
    for _ in range(5):
        if set(host.restore(force=True).outcomes.values()) <= {"ok", "restored"}:
            break
    now = look(foreign / "conf")
    assert (now[0], now[1], stat.S_IMODE(now[2]), now[4]) == (
        was[0], was[1], stat.S_IMODE(was[2]), was[4],
    )  # fmt: skip


def test_the_journal_and_the_kept_journals_hold_no_secret(host: Host, tmp_path: Path) -> None:
    host.converge(cell(tmp_path / "conf"))
    for _ in range(2):
        for path in host.state.rglob("*.jsonl"):
            text = path.read_text()
            assert SECRET not in text
            assert base64.b64encode(SECRET.encode()).decode() not in text
        host.restore()
    assert not (tmp_path / "conf").exists()
