"""`--keep`: a state that stays, cheap to ask for again, until `runner restore`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.workers import kernel

pytestmark = kernel

EXPIRE = Path("/proc/sys/vm/dirty_expire_centisecs")
BASE = """\
schema: experiment/1
name: base
hosts: {server: local}
system: {sysctl: {vm.dirty_expire_centisecs: 3100}}
"""


@pytest.fixture
def before():
    """The value, which is put back whatever becomes of the test."""
    found = EXPIRE.read_text()
    if found.strip() in {"3100", "3200"}:
        pytest.skip("somebody else has changed what is changed here")
    yield found
    EXPIRE.write_text(found)


def test_again_is_one_exec_and_changes_nothing(ssh, sshd, before, unchanged):
    """The probe has seen that all is as declared; the record says so, `runner report` shows it."""
    spec = str(ssh.spec(BASE))
    ssh("apply", spec, "--keep")
    execs = sshd.sessions()
    done = json.loads(ssh("apply", spec, "--keep", "--json").stdout)
    assert sshd.sessions() - execs == 1
    assert done["hosts"]["board"] | {"ok": 1, "changed": 0} == done["hosts"]["board"]
    assert done["report"] is None
    report = Path(ssh("report", done["run"]).stdout.strip())
    assert "`base` is applied" in report.read_text()
    ssh("restore")
    assert EXPIRE.read_text() == before


def test_an_experiment_on_top_ends_where_it_began(cli, before, unchanged):
    """The kept value, not that of before; `runner status` names the run that declared it."""
    cli("apply", str(cli.spec(BASE)), "--keep")
    other = BASE.replace("name: base", "name: other").replace("3100", "3200")
    found = cli.apply(cli.spec(other, "other.yaml"))
    (counts,) = found["hosts"].values()
    assert (counts["changed"], counts["restored"]) == (1, 1)
    assert EXPIRE.read_text().strip() == "3100"
    assert "3100" in cli("status").stdout
    cli("restore")
    assert EXPIRE.read_text() == before
    assert "nothing is changed" in cli("status").stdout
