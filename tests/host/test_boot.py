"""How the agent arrives and starts."""

from __future__ import annotations

import concurrent.futures
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.host import boot
from tests.host.agent import Host, python

PROBE = {"version": 1, "run": "r1", "program": "probe", "facts": False, "cells": []}
FRAME = boot.frame(json.dumps(PROBE).encode())


def test_boot_needs_no_quoting_but_a_pair_of_single_quotes() -> None:
    assert not set(boot.BOOT) & set("'`$\\!")
    assert boot.BOOT.isascii()


def test_boot_runs_on_the_oldest_python_that_can_say_so() -> None:
    """No syntax in it is newer than Python 3.6, which then names what is missing."""
    compile(boot.BOOT, "BOOT", "exec", dont_inherit=True)
    old = python("3.7") or python("3.6") or python("3.8")
    if old is None:
        pytest.skip("no old Python here")
    done = subprocess.run(
        [old, "-I", "-S", "-c", boot.BOOT, boot.agent_sha(), "/nonexistent"],
        input=FRAME, capture_output=True, check=False,
    )  # fmt: skip
    end = json.loads(done.stdout)
    assert end["event"] == "end"
    assert "too old" in end["error"]["message"]


def test_the_agent_is_asked_for_once_per_version(host: Host) -> None:
    first, second = host.ask(PROBE), host.ask(PROBE)
    assert [event["event"] for event in first.events] == ["need_agent", "host", "end"]
    assert [event["event"] for event in second.events] == ["host", "end"]
    assert first.code == second.code == 0
    assert first.stderr == second.stderr == ""


def test_every_event_has_a_time(host: Host) -> None:
    assert all(isinstance(event["at"], float) for event in host.ask(PROBE).events)


def test_the_zip_is_the_same_bytes_again_and_named_by_them() -> None:
    first = boot.agent_zip()
    boot.agent_zip.cache_clear()
    assert boot.agent_zip() == first
    assert boot.agent_sha() == hashlib.sha256(first).hexdigest()
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert names == sorted(names)
    assert "runner_host/main.py" in names


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(0, len(FRAME) - 1))
def test_a_truncated_program_does_nothing(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    host = Host(tmp_path_factory.mktemp("cut") / "state")
    answer = host.send(FRAME[:cut])
    assert answer.code == 64
    assert answer.events == []
    assert not host.state.exists()


@settings(max_examples=10, deadline=None)
@given(at=st.integers(0, len(FRAME) - 1))
def test_a_damaged_program_does_nothing(at: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    host = Host(tmp_path_factory.mktemp("damaged") / "state")
    damaged = bytes([*FRAME[:at], FRAME[at] ^ 1, *FRAME[at + 1 :]])
    if damaged[:at].isdigit() and damaged[at : at + 1] == b"!":
        return  # another way to write a blank
    answer = host.send(damaged)
    assert answer.code == 64
    assert not host.state.exists()


def test_a_truncated_agent_leaves_no_agent(host: Host) -> None:
    pack = boot.frame(boot.agent_zip())
    answer = host.send(FRAME + pack[: len(pack) // 2])
    assert answer.code == 64
    assert not (host.state / "agent").exists()
    assert host.ask(PROBE).code == 0


def test_a_wrong_agent_is_not_run(host: Host) -> None:
    assert host.send(FRAME + boot.frame(b"something else")).code == 64
    assert not (host.state / "agent").exists()


def test_two_controllers_can_bring_the_agent_at_once(host: Host) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda _: host.ask(
                    PROBE,
                ),
                range(4),
            )
        )
    assert [answer.code for answer in answers] == [0] * 4
    assert [path.name for path in (host.state / "agent").iterdir()] == [boot.agent_sha()]


def test_the_state_folder_is_private(host: Host) -> None:
    host.state.mkdir(mode=0o755)
    host.ask(PROBE)
    assert host.state.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a folder of another user")
def test_a_state_folder_of_someone_else_is_refused(host: Host) -> None:
    host.state.mkdir()
    os.chown(host.state, 12345, 12345)
    answer = host.ask(PROBE)
    assert answer.error == "bad_program"
    assert not (host.state / "agent").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    inner = f'mount -t tmpfs -o size=64k none {small} && exec "$@"'
    host = Host(small / "state", ("unshare", "-m", "sh", "-c", inner, "sh"))
    answer = host.ask(PROBE)
    assert answer.error == "disk_full"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (b"[1, 2", "not JSON"),
        (b"[1, 2]", "JSON object"),
        ({"program": "dance"}, "no program 'dance'"),
        ({"program": "probe", "version": 2}, "version 2"),
        ({"program": "probe", "run": ""}, "`run`"),
        ({"program": "converge"}, "`cells`"),
        ({"program": "converge", "cells": [{"via": "pseudo"}]}, "an `id`"),
        ({"program": "converge", "cells": [{"id": "x", "via": "magic"}]}, "no way 'magic'"),
        ({"program": "converge", "cells": [{"id": "x", "via": "pseudo", "path": "/proc/x"}]}, "lacks `want`"),
        ({"program": "probe", "cells": [{"id": "x", "via": "pseudo", "path": "etc"}]}, "absolute path"),
        ({"program": "probe", "cells": [{"id": "x", "via": "pseudo", "path": "/proc/../etc/x"}]}, "absolute path"),
        ({"program": "probe", "cells": [{"id": "x", "via": "pseudo"}]}, "lacks path"),
        ({"program": "probe", "cells": [{"id": "x", "via": "argv", "name": "x"}]}, "lacks read"),
        ({"program": "probe", "cells": [{"id": "x", "via": "pseudo", "path": "/x", "form": "?"}]}, "unknown form"),
        ({"program": "probe", "cells": [{"id": "x", "via": "pseudo", "path": "/x"}] * 2}, "twice"),
        ({"program": "converge", "cells": [{"id": "x", "via": "file", "path": "/x", "want": "text"}]}, "not a value of file"),
        ({"program": "converge", "cells": [{"id": "x", "via": "pseudo", "path": "/x", "want": {}}]}, "not a value of pseudo"),
    ],
)  # fmt: skip
def test_what_is_no_program_is_refused_with_a_reason(
    host: Host, program: bytes | dict, said: str
) -> None:
    data = (
        program
        if isinstance(program, bytes)
        else json.dumps({"version": 1, "run": "r1", **program}).encode()
    )
    answer = host.send(boot.frame(data) + boot.frame(boot.agent_zip()))
    assert answer.error == "bad_program"
    assert said in answer.end["error"]["message"]
    assert answer.code == 1


def test_what_was_begun_is_finished_without_a_reader(host: Host, tmp_path: Path) -> None:
    """The link drops before the first event."""
    host.ask(PROBE)
    cell = {
        "id": "f",
        "via": "file",
        "path": str(tmp_path / "f"),
        "form": "file",
        "want": {"type": "file", "bytes_b64": ""},
    }
    program = {"version": 1, "run": "r1", "program": "converge", "cells": [cell], "hold": {}}
    reader, writer = os.pipe()
    agent = subprocess.Popen(
        boot.command(str(host.state), sys.executable), stdin=subprocess.PIPE, stdout=writer
    )
    os.close(writer)
    os.close(reader)
    agent.communicate(boot.frame(json.dumps(program).encode()))
    assert (tmp_path / "f").exists()
    assert agent.returncode == 0
