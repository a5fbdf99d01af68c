"""Inventories: ours, and Ansible's in YAML and INI."""

from __future__ import annotations

import pytest

from runner.errors import SpecError
from runner.specfile import SpecFaults
from runner.specfile.inventory import Inventory, find_inventory, load, parse_inventory
from tests.specfile.reading import faults, read

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
    assert found.groups == {"ungrouped": ("here",), "lab": ("pi4", "pi5"), "fast": ("pi5",)}


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
        ("h.ini", "[lab\npi4\n", "`[lab` is not a range"),
        ("h.ini", "[lab:vrs]\n", "did you mean `vars`?"),
        ("h.ini", "[lab]\npi4 user\n", "h.ini:2:1: `user` is not a variable: write name=value"),
        ("h.ini", "[lab]\npi[1:x]\n", "is not a range"),
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


DIAMOND = "[g0]\nhost\n" + "".join(
    f"[a{n}:children]\ng{n}\n[b{n}:children]\ng{n}\n[g{n + 1}:children]\na{n}\nb{n}\n"
    for n in range(200)
)


def test_diamonds_take_no_time():
    found = parse_inventory(DIAMOND, "hosts")
    assert found.groups["g200"] == ("host",)
    assert len(found.host("host").groups) == 601


@pytest.mark.parametrize("text", ["[all]\nh\n[a:children]\nall\n[all:children]\na\n"])
def test_circles_through_all_are_refused(text):
    with pytest.raises(SpecError, match="contains itself"):
        parse_inventory(text, "hosts")


def reach(line: str, more: str = ""):
    return parse_inventory(f"[pi]\npi1 {line}\n{more}", "hosts").host("pi1")


def test_a_port_that_is_an_expression_is_filled_in():
    found = reach('ansible_port="{{ ssh_port }}"', "[pi:vars]\nssh_port=2202\n")
    assert found.port == 2202
    found = reach(
        "ansible_host='{{ inventory_hostname }}.lab' ansible_user='{{ u | default(\"x\") }}'"
    )
    assert (found.address, found.user) == ("pi1.lab", "x")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('ansible_port="{{ ssh_port }}"', "hosts:2:1: host `pi1`: ansible_port: unknown variable `ssh_port`"),
        ('ansible_port="{{ lookup(1) }}"', "hosts:2:1: host `pi1`: ansible_port: cannot read"),
        ("ansible_port='{{ ansible_port }}'", "refer to each other in a circle"),
        ("ansible_port=ssh", "has to be a port number, not `ssh`"),
        ("ansible_port=70000", "70000 is not a port"),
        ("ansible_port=True", "has to be a port number"),
        ("ansible_become=maybe", "has to be true or false, not `maybe`"),
        ("ansible_connection=docker", "`docker` is a connection that runner has not got"),
        ("ansible_connection=winrm", "`winrm` is a connection"),
        ("ansible_become_user=postgres", "`postgres`: state belongs to root"),
        ("ansible_become_method=su", "runner becomes root by sudo"),
        ("ansible_become_password=x", "runner starts `sudo -n`"),
        ("ansible_sudo_pass=x", "runner starts `sudo -n`"),
        ("ansible_password=x", "runner gives no password to ssh"),
        ("ansible_python_interpreter='/usr/bin/env python3'", "is more than one word"),
        ("ansible_host=[1]", "has to be a text, not a list"),
        ("ansible_ssh_common_args='-o ProxyCommand=\"nc %h %p\"'", "proxycommand runs a program on this machine"),
        ("ansible_ssh_common_args='-oLocalCommand=x'", "localcommand runs a program"),
        ("ansible_ssh_extra_args='-R 1:x:2'", "`-R` is not an option of ssh that says how"),
        ("ansible_ssh_args='-F /tmp/x'", "`-F` is not an option"),
        ("ansible_ssh_args='rm'", "`rm` is not an option"),
        ("ansible_ssh_args='-J'", "`-J` without a value"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_where_it_is_written(line, message):
    with pytest.raises(SpecError) as caught:
        reach(line)
    assert message in caught.value.message
    assert caught.value.message.startswith("hosts:2:1: ")
    # another host of the same inventory is not touched by it
    assert parse_inventory(f"[pi]\npi1 {line}\npi2\n", "hosts").host("pi2").name == "pi2"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("ansible_python_interpreter=auto_silent", "python", None),
        ("ansible_python_interpreter=/opt/py/bin/python3", "python", "/opt/py/bin/python3"),
        ("ansible_connection=paramiko", "local", False),
        ("ansible_connection=local", "local", True),
        ("ansible_become=yes", "become", True),
        ("ansible_become=1", "become", True),
        ("ansible_become=True ansible_become_user=root ansible_become_method=sudo", "become", True),
        ("ansible_host=a ansible_ssh_host=b", "address", "b"),
        ("ansible_user=1000", "user", "1000"),
        ("ansible_ssh_common_args='-o ProxyJump=hop -C'", "ssh_args", ("-o", "ProxyJump=hop", "-C")),
        ("ansible_ssh_common_args='-J hop' ansible_ssh_extra_args=-4", "ssh_args", ("-J", "hop", "-4")),
        ("ansible_pipelining=True ansible_shell_type=sh x=1", "without_effect", ("ansible_pipelining", "ansible_shell_type")),
    ],
)  # fmt: skip
def test_what_is_said_of_a_connection_is_kept(line, field, value):
    assert getattr(reach(line), field) == value


def test_a_lease_of_its_own():
    found = parse_inventory(
        "hosts: {a: {lease: 30m}, b: {lease: 60}, c: {lease: x}}\n", "hosts.yaml"
    )
    assert (found.host("a").lease_s, found.host("b").lease_s) == (1800.0, 60.0)
    with pytest.raises(SpecError, match=r"hosts\.yaml:1:46"):
        found.host("c")


@pytest.mark.parametrize(
    "files",
    [
        {"hosts": "$ANSIBLE_VAULT;1.1;AES256\n3162\n"},
        {"hosts.yaml": "$ANSIBLE_VAULT;1.1;AES256\n3162\n"},
        {"hosts": "pi\n", "group_vars/all.yml": "$ANSIBLE_VAULT;1.1;AES256\n3162\n"},
        {"hosts": "pi\n", "host_vars/pi.yml": "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  31\n"},
        {"hosts.yaml": "all: {vars: {a: !vault x}}\n"},
    ],
)
def test_what_is_encrypted_is_said_to_be(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(SpecFaults, match="is encrypted: write !secret"):
        load(tmp_path / next(iter(files)))


DYNAMIC = {
    "aws.yml": "plugin: amazon.aws.aws_ec2\n",
    "script": "#!/bin/sh\necho '{}'\n",
    "hosts.toml": "[a]\n",
}


@pytest.mark.parametrize("name", DYNAMIC)
def test_one_that_a_program_makes_is_named_as_such(tmp_path, name, monkeypatch):
    (tmp_path / name).write_text(DYNAMIC[name])
    with pytest.raises(SpecError, match="it is run only where you name it"):
        load(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpecError, match="which ansible-inventory reads, and that is not installed"):
        load(tmp_path / name, run=True)


def test_one_that_a_program_makes_is_asked_of_ansible(tmp_path, monkeypatch):
    (tmp_path / "script").write_text("#!/bin/sh\n")
    tool = tmp_path / "ansible-inventory"
    tool.write_text(
        "#!/bin/sh\ncat <<'E'\n"
        '{"_meta": {"hostvars": {"h": {"ansible_port": 22, "x": {"__ansible_unsafe": "{{ y }}"}}}},'
        ' "all": {"children": ["ungrouped", "lab"]}, "lab": {"hosts": ["h", "i"]}}\nE\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = load(tmp_path / "script", run=True)
    assert found.names("lab") == ("h", "i")
    assert (found.host("h").port, found.variables("h")) == (22, {"x": "{{ y }}"})
    for text in ("echo oops >&2; exit 3", "echo '['", "echo 3", 'echo \'{"a": {"hosts": 3}}\''):
        tool.write_text(f"#!/bin/sh\n{text}\n")
        with pytest.raises(SpecError, match="ansible-inventory"):
            load(tmp_path / "script", run=True)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("lab[0]", ("pi4",)),
        ("lab[-1]", ("pi5",)),
        ("lab[0:1]", ("pi4", "pi5")),
        ("lab[1:]", ("pi5",)),
        ("~pi[45]", ("pi4", "pi5")),
        ("~i4", None),
        ("lab,here", ("pi4", "pi5", "here")),
        ("lab,!pi4", ("pi5",)),
        ("zz*", None),
        ("lab:zz", None),
        ("lab:!zz", None),
        ("lab[7]", None),
        ("~(", None),
        ("!", None),
        (",", None),
        ("local", ("local",)),
        ("2001:db8::1", ("2001:db8::1",)),
        ("elsewhere", ("elsewhere",)),
    ],
)
def test_patterns_with_subscripts_and_what_matches_nothing(pattern, names):
    known = parse_inventory(OURS, "hosts.yaml")
    if names is not None:
        assert known.names(pattern) == names
        return
    with pytest.raises(SpecError) as caught:
        known.names(pattern)
    assert caught.value.message


GROUPS = "hosts: {a: {vars: {n: 1}}, b: , c: }\ngroups: {one: [a], two: [a, b], none: []}\n"


def test_a_spec_names_a_group():
    known = parse_inventory(GROUPS, "hosts.yaml")
    exp = read('hosts: {server: one}\ntitle: "{{ n }} {{ inventory_hostname }}"\n', inventory=known)
    assert (exp.hosts.server, exp.title) == (("a",), "1 a")
    exp = read("hosts: {server: b, load: one}\n", inventory=known)
    assert (exp.hosts.server, exp.hosts.load) == (("b",), ("a",))
    assert read("name: x\n", inventory=known, host="one").hosts.server == ("a",)
    exp = read(
        'vars: {where: one}\nhosts: {server: "{{ where }}"}\ntitle: "{{ n }}"\n', inventory=known
    )
    assert (exp.hosts.server, exp.title) == (("a",), "1")
    assert read("hosts: {server: two}\n", inventory=known, limit="a").hosts.server == ("a",)
    assert read("hosts: {server: 'two:!b'}\n", inventory=known).hosts.server == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hosts: {server: two}\nworkload: {argv: [x]}\n", "1:1 1 block(s) for 2 boards"),
        ("hosts: {server: none}\n", "1:9 the group `none` has no hosts"),
        ("hosts: {server: [a, zz*]}\n", "1:21 no host and no group of the inventory matches `zz*`"),
        ("hosts: {load: 'x[0]'}\n", "1:9 no host and no group of the inventory matches `x[0]`"),
    ],
)
def test_groups_that_cannot_be_measured_are_faults(text, message):
    (fault,) = faults(text, inventory=parse_inventory(GROUPS, "hosts.yaml"))
    assert fault.startswith(message)


def test_an_inventory_that_is_not_there_is_no_traceback(tmp_path):
    with pytest.raises(SpecError, match="no inventory in this folder"):
        load(tmp_path)
    with pytest.raises(SpecError, match="no such file"):
        load(tmp_path / "hosts.yaml")
