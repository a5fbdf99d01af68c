"""Folders above a file or a group that are missing."""

from __future__ import annotations

from runner.host.cells.parents import with_parents


def test_missing_folders_come_first_and_go_again(tmp_path):
    cell = {"id": "f", "via": "file", "path": f"{tmp_path}/a/b/f", "want": {"type": "file"}}
    assert [c["path"] for c in with_parents([cell])] == [
        f"{tmp_path}/a", f"{tmp_path}/a/b", f"{tmp_path}/a/b/f",
    ]  # fmt: skip


def test_the_group_of_a_unit_is_left_to_systemd(tmp_path):
    """It is missing while the unit has not started; made by us, the unit's start would be undone."""
    inner = f"{tmp_path}/system.slice/runner-cgroup.service/runner"
    cell = {"id": "g", "via": "cgroup", "path": inner, "want": "present"}
    assert [c["path"] for c in with_parents([cell])] == [inner]
