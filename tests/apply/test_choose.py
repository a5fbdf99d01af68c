"""What Ansible's users expect: --tags, --limit, -e, vars of groups and hosts, an honest --check."""

from __future__ import annotations

import pytest

from tests.workers import kernel

pytestmark = kernel

SPEC = """\
schema: experiment/1
name: choose
hosts: {server: board}
vars: {expire: 3100}
system:
  sysctl: {vm.dirty_expire_centisecs: "{{ expire }}", vm.dirty_writeback_centisecs: "{{ back }}"}
  files: {FOLDER/note: {content: "{{ region }}\\n"}}
"""
INI = "[lab]\nboard ansible_connection=local back=510\n[lab:vars]\nback=520\nregion=cellar\n"
YAML = """\
all:
  children:
    lab:
      hosts: {board: {ansible_connection: local, back: 510}}
      vars: {back: 520, region: cellar}
"""


@pytest.fixture(params=["hosts.ini", "hosts.yml"])
def lab(request, local):
    """The same inventory in both of Ansible's forms."""
    inventory = local.folder / request.param
    inventory.write_text(INI if request.param.endswith("ini") else YAML)
    local.words += ["-i", str(inventory)]
    return local


def check(cli, *words: str, code: int = 0) -> str:
    file = cli.spec(SPEC.replace("FOLDER", str(cli.folder)))
    done = cli("apply", str(file), "--check", *words, code=code)
    return done.stderr + done.stdout


def test_vars_of_spec_host_and_group(lab):
    """The spec wins over the host, and the host over its group."""
    said = check(lab, "--diff")
    assert "→ 3100  sysctl:vm.dirty_expire_centisecs" in said
    assert "→ 510  sysctl:vm.dirty_writeback_centisecs" in said
    assert "+cellar" in said
    assert not (lab.folder / "note").exists()


def test_extra_vars_win_over_all(lab):
    said = check(lab, "-e", "expire=3200", "-e", "back=530", "-e", "region=attic", "--diff")
    assert "→ 3200  sysctl:vm.dirty_expire_centisecs" in said
    assert "→ 530  sysctl:vm.dirty_writeback_centisecs" in said
    assert "+attic" in said


def test_tags_choose_kinds(local):
    local.words += ["-e", "back=510", "-e", "region=x", "-H", "local"]
    assert "note" not in check(local, "--tags", "sysctl")
    assert "sysctl:" not in check(local, "--skip-tags", "sysctl")
    both = check(local, "--tags", "sysctl,files")
    assert "note" in both
    assert "sysctl:" in both
    assert "no kind of resource is called sysctll" in check(local, "--tags", "sysctll", code=3)


def test_limit_chooses_by_host_and_group(lab):
    assert "would change" in check(lab, "--limit", "lab")
    assert "would change" in check(lab, "--limit", "boa*")
    said = check(lab, "--limit", "lab:!board", code=3)
    assert "--limit lab:!board leaves none of board" in said
    assert "would change" not in said
    assert "matches `bord`; did you mean `board`?" in check(lab, "--limit", "bord", code=3)


def test_a_group_of_one_host_is_that_host(lab):
    assert "→ 510  sysctl:vm.dirty_writeback_centisecs" in check(lab, "-H", "lab")
    assert "would change" in check(lab, "-H", "lab[0]")
    assert "matches `lab2*`" in check(lab, "-H", "lab2*", code=3)
    assert "board" in lab("hosts", "lab").stdout
    assert "kernel" in lab("facts", "lab").stdout


def test_a_spec_that_limit_leaves_nothing_is_passed_over(lab):
    mine = lab.spec(SPEC.replace("FOLDER", str(lab.folder)), "mine")
    other = lab.spec("schema: experiment/1\nname: other\nhosts: {server: elsewhere}\n", "other")
    done = lab("apply", str(mine), str(other), "--check", "--limit", "lab")
    assert "other: skipped: --limit lab leaves none of elsewhere" in done.stderr
    assert "would change" in done.stderr + done.stdout


def test_check_fails_where_apply_would(local):
    """What the host cannot be brought to is said before anything is tried."""
    spec = local.spec(
        "schema: experiment/1\nname: lacking\nhosts: {server: local}\n"
        "system: {network: {nothere0: {mtu: 1400}}, sysctl: {vm.dirty_expire_centisecs: 3100}}\n"
    )
    done = local("apply", str(spec), "--check", code=2)
    assert "the host has no interface nothere0" in done.stderr
    assert "would change" in done.stderr
