"""Without root, in a subtree of cgroup v2 that was given to the user.

The v2 hierarchy of this machine is shown to the agent as if it were the only one. Which
limits can be set there is another question: tests/board/test_reboot.py sets memory.max so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import NeedRoot
from runner.planning.state import plan_state
from tests.host.agent import Host, pseudo

UID = 12345
V2 = (
    "mount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup "
    '&& echo 0 > "$0/cgroup.procs" && exec setpriv --reuid=12345 --regid=12345 --clear-groups "$@"'
)


@pytest.fixture
def given(tmp_path: Path) -> Iterator[tuple[Host, Path]]:
    """An agent without root, and the group that is its own."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    mounted = [line.split()[1] for line in lines if line.split()[2] == "cgroup2"]
    if os.geteuid() != 0 or not mounted or shutil.which("setpriv") is None:
        pytest.skip("needs root to give root up, and a cgroup v2 hierarchy")
    group = Path(mounted[0], f"runner-test-{os.getpid()}")
    group.mkdir()
    for path in (group, *group.iterdir()):
        os.chown(path, UID, UID)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and not folder.stat().st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o011)
    tmp_path.chmod(0o777)
    inside = f"/sys/fs/cgroup/{group.name}"
    prefix = ("unshare", "-m", "sh", "-c", V2, inside)
    yield Host(tmp_path / "state", prefix, "/usr/bin/python3"), group
    for folder, _, _ in os.walk(group, topdown=False):
        Path(folder).rmdir()


def test_a_group_is_made_and_removed_without_root(given: tuple[Host, Path]) -> None:
    host, group = given
    facts = host.probe(facts=True).only("facts")["facts"]
    assert facts["cgroup.version"] == 2
    assert facts["host.root"] is False
    assert facts["cgroup.delegated"] == f"/sys/fs/cgroup/{group.name}"
    # pid 1 of this machine is not systemd; a board's delegated unit is tested there
    plan = plan_state({"cgroup": {"web": {}}}, {**facts, "cgroup.controllers": []}, {})
    plan.check(root=False)
    cells = [cell.to_json() for cell in plan.cells]
    done = host.converge(*cells)
    assert set(done.outcomes.values()) == {"changed"}, done.events
    assert (group / "runner" / "web").is_dir()
    assert set(host.converge(*cells).outcomes.values()) == {"ok"}
    assert host.restore().end["ok"]
    assert not (group / "runner").exists()


def test_what_needs_root_beside_it_is_all_named_and_nothing_is_made(
    given: tuple[Host, Path],
) -> None:
    host, group = given
    facts = host.probe(facts=True).only("facts")["facts"]
    system = {"cgroup": {"web": {}}, "sysctl": {"vm.swappiness": 7}, "aslr": "conservative"}
    plan = plan_state(system, facts, {})
    with pytest.raises(NeedRoot, match=r"aslr:host, sysctl:vm\.swappiness"):
        plan.check(root=False)
    # the agent does not rely on it
    cells = [cell.to_json() for cell in plan.cells if cell.id.startswith("cgroup:")]
    answer = host.converge(*cells, pseudo("/proc/sys/vm/swappiness", "7"))
    assert answer.error == "need_root"
    assert not (group / "runner").exists()
