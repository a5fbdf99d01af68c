"""Each way to read and write, on the real thing."""

from __future__ import annotations

import base64
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.host.cells import cells, swaps
from tests.host import snapshot
from tests.host.agent import Host, pseudo

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root")


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def file(path: Path, want: Any) -> dict[str, Any]:
    return {
        "id": "f",
        "via": "file",
        "path": str(path),
        "form": "file",
        "runtime": False,
        "want": want,
    }


TEXT = {"type": "file", "bytes_b64": b64("new")}


# files


def test_a_new_file_and_its_folders_go_again(host: Host, tmp_path: Path) -> None:
    host.probe()
    before = snapshot.tree(tmp_path)
    path = tmp_path / "x" / "y" / "z"
    done = host.converge(file(path, TEXT))
    assert done.outcomes == {
        f"file:{tmp_path}/x": "changed",
        f"file:{tmp_path}/x/y": "changed",
        "f": "changed",
    }
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    host.restore()
    after = snapshot.tree(tmp_path)
    assert {k: v for k, v in after.items() if not k.startswith("state")} == {
        k: v for k, v in before.items() if not k.startswith("state")
    }


def test_a_folder_someone_put_files_into_stays(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "x" / "y"
    host.converge(file(path, TEXT))
    (tmp_path / "x" / "other").write_text("mine")
    answer = host.restore()
    assert answer.outcomes == {"f": "restored", f"file:{tmp_path}/x": "drifted"}
    assert (tmp_path / "x" / "other").read_text() == "mine"
    assert not path.exists()


def test_what_is_left_out_stays_as_it_was(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o640)
    assert host.converge(file(path, TEXT)).outcomes == {"f": "changed"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert host.converge(file(path, {**TEXT, "mode": 0o600})).outcomes == {"f": "changed"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert host.converge(file(path, {"type": "file", "bytes_b64": TEXT["bytes_b64"]})).outcomes == {
        "f": "ok"
    }


@needs_root
def test_a_mount_point_is_written_in_place(tmp_path: Path) -> None:
    """/etc/hosts of a container is one: it cannot be renamed over."""
    target, source = tmp_path / "hosts", tmp_path / "source"
    target.write_text("under")
    source.write_text("old")
    inner = f'mount --bind {source} {target} && exec "$@"'
    host = Host(tmp_path / "state", ("unshare", "-m", "sh", "-c", inner, "sh"))
    assert host.converge(file(target, TEXT)).outcomes == {"f": "changed"}
    assert source.read_text() == "new"
    assert host.restore().outcomes == {"f": "restored"}
    assert source.read_text() == "old"
    assert target.read_text() == "under"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hosts", "source", "state"]


def test_a_device_or_fifo_is_left_alone(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    done = host.converge(file(path, TEXT))
    assert done.outcomes == {"f": "failed"}
    assert "left alone" in done.results["f"]["why"]
    assert path.is_fifo()


def test_a_folder_with_something_in_it_is_not_removed(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside").write_text("x")
    for want in (None, TEXT):
        done = host.converge(file(folder, want))
        assert done.outcomes == {"f": "failed"}
        assert "ENOTEMPTY" in done.results["f"]["why"]
    assert (folder / "inside").exists()
    assert host.restore().end["ok"]


@pytest.mark.parametrize("first", [None, "file", "symlink", "dir"])
@pytest.mark.parametrize("then", [None, "file", "symlink", "dir"])
def test_every_type_to_every_type_and_back(
    host: Host, tmp_path: Path, first: str | None, then: str | None
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    path = place / "it"
    if first == "file":
        path.write_text("old")
    elif first == "symlink":
        path.symlink_to("/nowhere")
    elif first == "dir":
        path.mkdir(0o711)
    wants = {
        None: None,
        "file": TEXT,
        "symlink": {"type": "symlink", "target": "new"},
        "dir": {"type": "dir", "mode": 0o700},
    }
    before = snapshot.tree(place)
    done = host.converge(file(path, wants[then]))
    assert done.outcomes == {"f": "ok" if first is then is None else "changed"}
    now = done.results["f"]["after"]
    assert (now and now["type"]) == then
    assert host.restore().end["ok"]
    assert snapshot.tree(place) == before


def test_a_part_left_by_a_killed_write_is_removed_even_if_the_file_is_as_before(
    host: Host, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    host.probe()
    for n in range(1, 30):
        if host.converge(file(path, TEXT), fault=n).code == 0:
            break
        if len(list(tmp_path.iterdir())) > 2:
            path.write_text("old")  # as if someone had written it anew
            host.restore()
            assert sorted(p.name for p in tmp_path.iterdir()) == ["f", "state"]
            return
    pytest.fail("no write left a part")


# control groups


def test_a_group_goes_with_its_members_and_inner_groups(host: Host, group: Path) -> None:
    cell = {"id": "g", "via": "cgroup", "path": str(group / "a"), "want": "present"}
    assert host.converge(cell).outcomes == {f"cgroup:{group}": "changed", "g": "changed"}
    (group / "a" / "deeper").mkdir()
    inside = []
    for folder in (group, group / "a", group / "a" / "deeper"):
        inside.append(subprocess.Popen(["sleep", "600"]))
        (folder / "cgroup.procs").write_text(str(inside[-1].pid))
    answer = host.restore()
    assert set(answer.outcomes.values()) == {"restored"}, answer.results
    assert not group.exists()
    assert [process.wait(5) for process in inside] == [-signal.SIGKILL] * 3


def test_a_group_that_was_there_stays(host: Host, group: Path) -> None:
    group.mkdir()
    cell = {"id": "g", "via": "cgroup", "path": str(group), "want": "present"}
    assert host.converge(cell).outcomes == {"g": "ok"}
    host.restore()
    assert group.exists()


def test_a_limit_is_rounded_to_a_page_and_unlimited_has_many_names(host: Host, group: Path) -> None:
    group.mkdir()
    path = str(group / "memory.limit_in_bytes")
    done = host.converge(pseudo(path, "33555000", form="page"))
    assert done.outcomes == {path: "changed"}
    assert done.results[path]["after"] == "33554432"
    assert host.converge(pseudo(path, "32M", form="page")).outcomes == {path: "ok (normalised)"}
    assert host.restore().outcomes == {path: "restored"}
    assert host.converge(pseudo(path, "-1", form="page")).outcomes == {path: "ok (normalised)"}


def test_limits_that_bound_each_other_settle_in_any_order(host: Host, group: Path) -> None:
    """memory ≤ memsw: raising needs memsw first, lowering memory first."""
    group.mkdir()
    memory, memsw = (str(group / f"memory.{name}limit_in_bytes") for name in ("", "memsw."))
    if not Path(memsw).exists():
        pytest.skip("the kernel does not account swap")
    before = snapshot.keys(host, [memory, memsw])
    for size in ("64M", "32M", "128M"):
        pair = [pseudo(memory, size, form="page"), pseudo(memsw, size, form="page")]
        for order in (pair, pair[::-1]):
            done = host.converge(*order)
            assert "failed" not in done.outcomes.values(), done.results
    assert host.restore().end["ok"]
    assert snapshot.keys(host, [memory, memsw]) == before


def test_a_group_outside_a_hierarchy_is_refused(host: Host, tmp_path: Path) -> None:
    done = host.converge(
        {"id": "g", "via": "cgroup", "path": str(tmp_path / "g"), "want": "present"}
    )
    assert done.outcomes == {"g": "failed"}
    assert not (tmp_path / "g").exists()


def test_no_limit_can_be_written_on_the_root_of_v1(host: Host) -> None:
    path = "/sys/fs/cgroup/memory/memory.limit_in_bytes"
    if not ROOT or not Path(path).exists():
        pytest.skip("no cgroup v1")
    done = host.converge(pseudo(path, "64M", form="page"))
    assert done.outcomes == {path: "failed"}
    assert "EINVAL" in done.results[path]["why"]


# commands


def command(path: Path, **more: Any) -> dict[str, Any]:
    read = [sys.executable, "-c", f"print('mode =', open({str(path)!r}).read())"]
    write = [sys.executable, "-c", f"open({str(path)!r}, 'w').write('{{value}}')"]
    return {
        "id": "c",
        "via": "argv",
        "name": "c",
        "read": read,
        "parse": r"^mode = (\S+)$",
        "write": write,
        **more,
    }


def test_a_command_reads_and_writes(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "mode"
    path.write_text("slow")
    assert host.probe(command(path)).only("value")["value"] == "slow"
    assert host.converge(command(path, want="fast")).outcomes == {"c": "changed"}
    assert path.read_text() == "fast"
    assert host.restore().outcomes == {"c": "restored"}
    assert path.read_text() == "slow"


def test_a_value_no_command_leads_back_to_is_not_changed(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "mode"
    path.write_text("odd")
    ways = {"fast": command(path)["write"]}
    done = host.converge(command(path, want="fast", write=ways))
    assert done.outcomes == {"c": "failed"}
    assert "no command of it leads back to 'odd'" in done.results["c"]["why"]
    assert path.read_text() == "odd"


def test_absence_has_a_command_of_its_own(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "mode"
    path.write_text("")
    ways = {
        name: [sys.executable, "-c", f"open({str(path)!r}, 'w').write({text!r})"]
        for name, text in (("on", "on"), ("null", ""))
    }
    assert host.converge(command(path, want="on", write=ways)).outcomes == {"c": "changed"}
    assert host.restore().outcomes == {"c": "restored"}
    assert path.read_text() == ""


def test_a_command_that_is_missing_or_fails_is_said(host: Host) -> None:
    missing = {"id": "a", "via": "argv", "name": "a", "read": ["no-such-command"]}
    failing = {
        "id": "b",
        "via": "argv",
        "name": "b",
        "read": ["sh", "-c", "echo because >&2; exit 3"],
    }
    values = {e["id"]: e for e in host.probe(missing, failing).events if e["event"] == "value"}
    assert values["a"]["error"] == "no-such-command: not installed"
    assert "exit 3: because" in values["b"]["error"]


# interfaces


def test_an_interface_goes_up_and_down_again(net: Host) -> None:
    up = {"id": "up", "via": "link", "name": "lo", "attr": "up"}
    mtu = {"id": "mtu", "via": "link", "name": "lo", "attr": "mtu"}
    gone = {"id": "gone", "via": "link", "name": "nosuch0", "attr": "up"}
    values = {e["id"]: e["value"] for e in net.probe(up, mtu, gone).events if e["event"] == "value"}
    assert values == {"up": "down", "mtu": "65536", "gone": None}
    assert net.converge({**up, "want": "up"}, {**mtu, "want": "1500"}).outcomes == {
        "up": "changed",
        "mtu": "changed",
    }
    assert net.converge({**up, "want": "1"}, {**mtu, "want": "1500"}).outcomes == {
        "up": "ok",
        "mtu": "ok",
    }
    assert net.restore().outcomes == {"up": "restored", "mtu": "restored"}
    values = {e["id"]: e["value"] for e in net.probe(up, mtu).events if e["event"] == "value"}
    assert values == {"up": "down", "mtu": "65536"}
    assert net.converge({**gone, "want": "up"}).outcomes == {"gone": "failed"}


# swap


@pytest.fixture
def swap(tmp_path: Path) -> Any:
    path = tmp_path / "swap file"
    path.write_bytes(bytes(1 << 20))
    path.chmod(0o600)
    if subprocess.run(["mkswap", path], capture_output=True, check=False).returncode:
        pytest.skip("no mkswap")
    if subprocess.run(["swapon", path], capture_output=True, check=False).returncode:
        pytest.skip("no swap on this file system")
    subprocess.run(["swapoff", path], check=True)
    yield path
    subprocess.run(["swapoff", path], capture_output=True, check=False)


@needs_root
def test_swap_is_off_and_on_again_with_its_priority(host: Host, swap: Path) -> None:
    cell = {"id": "s", "via": "swap", "path": str(swap)}
    subprocess.run(["swapon", "-p", "7", swap], check=True)
    assert host.probe(cell).only("value")["value"] == {"priority": 7}
    assert host.converge({**cell, "want": None}).outcomes == {"s": "changed"}
    assert swaps.read(str(swap)) is None
    assert host.converge({**cell, "want": {"priority": 3}}).outcomes == {"s": "changed"}
    assert swaps.read(str(swap)) == {"priority": 3}
    assert host.restore().outcomes == {"s": "restored"}
    assert swaps.read(str(swap)) == {"priority": 7}


@needs_root
def test_swap_of_automatic_priority(host: Host, swap: Path) -> None:
    cell = {"id": "s", "via": "swap", "path": str(swap), "want": None}
    subprocess.run(["swapon", swap], check=True)
    # the kernel counts automatic priorities down over all devices: other swap may come and go
    assert priority_of(swap) < 0
    assert host.converge(cell).outcomes == {"s": "changed"}
    assert swaps.read(str(swap)) is None
    assert host.restore().outcomes == {"s": "restored"}
    assert priority_of(swap) < 0


def priority_of(file: Path) -> int:
    name = str(file).replace(" ", "\\040")
    lines = Path("/proc/swaps").read_text().splitlines()
    return next(int(line.split()[-1]) for line in lines if line.startswith(name))


# what a sum of changes is


@pytest.mark.parametrize(
    ("want", "have", "written"),
    [
        ("cpu memory", "cpu", "+memory"),
        ("", "cpu memory", "-cpu -memory"),
        ("+memory", "cpu", "+memory"),
        ("cpu", "cpu", ""),
        ("io", "cpu", "+io -cpu"),
    ],
)
def test_subtree_control_takes_changes(want: str, have: str, written: str) -> None:
    assert cells._subtree(want, have) == written


@needs_root
def test_subtree_control_is_put_back(host: Host) -> None:
    mount = Path("/sys/fs/cgroup/unified")
    if (
        not (mount / "cgroup.controllers").exists()
        or "hugetlb" not in (mount / "cgroup.controllers").read_text()
    ):
        pytest.skip("no controller in the v2 hierarchy to try it with")
    path = mount / "cgroup.subtree_control"
    before = path.read_text()
    assert host.converge(pseudo(str(path), "+hugetlb", form="set")).outcomes == {
        str(path): "changed"
    }
    assert "hugetlb" in path.read_text()
    again = host.converge(pseudo(str(path), "+hugetlb", form="set"))
    assert again.outcomes == {str(path): "ok"}
    assert host.restore().outcomes == {str(path): "restored"}
    assert path.read_text() == before
