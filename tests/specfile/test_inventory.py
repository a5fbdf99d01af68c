"""Inventories: ours, and Ansible's in YAML and INI."""

from __future__ import annotations

import pytest

from runner.errors import SpecError
from runner.specfile import SpecFaults
from runner.specfile.inventory import Inventory, find_inventory, load, parse_inventory

OURS = """\
hosts:
  pi4: {address: 192.0.2.10, user: pi, become: true, port: 2222, key: ~/.ssh/lab}
  pi5: {vars: {governor: ondemand}}
  here: {connection: local}
groups:
  lab: {hosts: [pi4, pi5], vars: {governor: performance, n: 3}}
  fast: [pi5]
"""

ANSIBLE = """\
all:
  vars: {ansible_user: pi, region: eu}
  hosts:
    pi[1:2]: {ansible_host: 192.0.2.1}
  children:
    lab:
      hosts:
        pi1: {ansible_port: 2222, ansible_become: "yes"}
        pi3:
      vars: {governor: performance, region: lab}
      children:
        inner: {hosts: {pi3: {}}, vars: {region: inner}}
"""

INI = """\
# a lab
lone ansible_host=192.0.2.9

[lab]
pi[01:02] ansible_user=pi note='two words'
pi5:2222 ansible_become=true count=3

[lab:vars]
governor = performance
count=1

[rack:children]
lab

[rack:vars]
governor=ondemand
where=cellar
"""


def test_our_own_form():
    found = parse_inventory(OURS, "hosts.yaml")
    pi4, pi5 = found.host("pi4"), found.host("pi5")
    assert (pi4.address, pi4.user, pi4.port, pi4.become) == ("192.0.2.10", "pi", 2222, True)
    assert pi4.key == "~/.ssh/lab"
    assert pi4.vars == {"governor": "performance", "n": 3}
    assert (pi5.address, pi5.become, pi5.vars["governor"]) == (None, False, "ondemand")
    assert found.host("here").local
    assert found.groups == {"lab": ("pi4", "pi5"), "fast": ("pi5",)}


def test_names_outside_of_it_stand_for_themselves():
    found = Inventory()
    assert found.host("local").local
    assert not found.host("some-ssh-alias").local
    assert found.names("some-ssh-alias") == ("some-ssh-alias",)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("lab", ("pi4", "pi5")),
        ("all", ("pi4", "pi5", "here")),
        ("pi4", ("pi4",)),
        ("lab:!pi5", ("pi4",)),
        ("lab:&fast", ("pi5",)),
        ("pi4,here", ("pi4", "here")),
        ("pi*", ("pi4", "pi5")),
        ("!lab", ("here",)),
        ("zz*", ()),
    ],
)
def test_patterns_mean_what_they_mean_to_ansible(pattern, names):
    assert parse_inventory(OURS, "hosts.yaml").names(pattern) == names


def test_ansible_yaml():
    found = parse_inventory(ANSIBLE, "inventory.yml")
    pi1, pi2, pi3 = (found.host(f"pi{n}") for n in (1, 2, 3))
    assert (pi1.address, pi1.user, pi1.port, pi1.become) == ("192.0.2.1", "pi", 2222, True)
    assert pi1.vars == {"region": "lab", "governor": "performance"}
    assert pi2.vars == {"region": "eu"}
    assert pi3.vars == {"region": "inner", "governor": "performance"}
    assert found.groups["lab"] == ("pi1", "pi3")


def test_ansible_ini():
    found = parse_inventory(INI, "hosts")
    assert found.groups == {"ungrouped": ("lone",), "lab": ("pi01", "pi02", "pi5"),
                            "rack": ("pi01", "pi02", "pi5")}  # fmt: skip
    assert found.host("pi01").vars == {
        "governor": "performance", "where": "cellar", "count": 1, "note": "two words",
    }  # fmt: skip
    pi5 = found.host("pi5")
    assert (pi5.port, pi5.become, pi5.vars["count"]) == (2222, True, 3)
    assert found.host("lone").address == "192.0.2.9"


def test_group_vars_and_host_vars_beside_it(tmp_path):
    (tmp_path / "inventory.ini").write_text("[lab]\npi4 a=1\npi5\n")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "host_vars" / "pi5").mkdir(parents=True)
    (tmp_path / "group_vars" / "all.yml").write_text("ansible_user: pi\nwho: all\n")
    (tmp_path / "group_vars" / "lab.yml").write_text("who: lab\n")
    (tmp_path / "host_vars" / "pi5" / "main.yml").write_text("who: host\nansible_port: 2222\n")
    found = load(find_inventory(tmp_path))
    assert (found.host("pi4").user, found.host("pi4").vars) == ("pi", {"who": "lab", "a": 1})
    assert (found.host("pi5").port, found.host("pi5").vars) == (2222, {"who": "host"})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("h.yaml", "hosts: {a: {adress: x}}\n", "1:13: unknown key `adress` in `hosts.a`; did you mean `address`?"),
        ("h.yaml", "hosts: {a: {port: x}}\n", "has to be a port number, not `x`"),
        ("h.yaml", "hosts: {a: {become: 1}}\n", "has to be true or false, not `1`"),
        ("h.yaml", "hosts: {ab: }\ngroups: {g: {hosts: [abc]}}\n", "unknown host `abc`; did you mean `ab`?"),
        ("h.yaml", "hosts: {a: }\ngruops: {}\n", "unknown key `gruops`; did you mean `groups`?"),
        ("h.yaml", "hosts: [a]\n", "has to be a mapping, not a list"),
        ("h.yaml", "all: {hosst: {a: }}\n", "unknown key `hosst` in the group `all`; did you mean `hosts`?"),
        ("h.ini", "[lab\npi4\n", "`[lab` is no section"),
        ("h.ini", "[lab:vrs]\n", "did you mean `vars`?"),
        ("h.ini", "[lab]\npi4 user\n", "h.ini:2:1: `user` is no variable: write name=value"),
        ("h.ini", "[lab]\npi[1:x]\n", "is no range"),
        ("h.ini", "[lab]\npi[1:99999]\n", "has more than 10000 hosts"),
        ("h.ini", "[lab]\npi a='b\n", "No closing quotation"),
    ],
)  # fmt: skip
def test_faults_have_their_place(name, text, message):
    with pytest.raises(SpecFaults) as caught:
        parse_inventory(text, name)
    assert message in caught.value.message


def test_a_group_that_contains_itself_is_refused():
    with pytest.raises(SpecError, match="contains itself"):
        parse_inventory("[a:children]\nb\n[b:children]\na\n", "hosts")


def test_an_inventory_that_is_not_there_is_no_traceback(tmp_path):
    with pytest.raises(SpecError, match="no inventory in this folder"):
        load(tmp_path)
    with pytest.raises(SpecError, match="no such file"):
        load(tmp_path / "hosts.yaml")
