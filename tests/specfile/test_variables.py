"""`{{ name }}`: whose value wins, and what has none."""

from __future__ import annotations

import pytest

from runner.errors import SpecError
from runner.records.secrets import MASK
from runner.spec.expand import canonical_json, expand
from runner.specfile import load
from runner.specfile.inventory import parse_inventory
from tests.specfile.reading import faults, read

SPEC = """\
hosts: {server: pi4}
vars: {spec: s, n: 3, both: "{{ spec }}-{{ n }}", deep: {key: 7}}
title: "{{ both }} {{ deep.key }} {{ inventory_hostname }} {{ none | default('d') }}"
load: {connections: "{{ n }}"}
"""

INVENTORY = """\
hosts:
  pi4: {vars: {who: host, spec: host}}
groups:
  lab: {hosts: [pi4], vars: {who: group, only: group}}
"""


def test_a_lone_expression_keeps_the_type_and_others_join_as_text():
    exp = read(SPEC)
    assert exp.title == "s-3 7 pi4 d"
    assert exp.load.connections == 3


def test_extra_variables_win_over_all():
    assert read(SPEC, variables={"n": "9", "spec": "e"}).title == "e-9 7 pi4 d"
    assert read(SPEC, variables={"n": "9"}).load.connections == 9


def test_the_spec_wins_over_the_host_and_the_host_over_its_groups():
    inventory = parse_inventory(INVENTORY, "hosts.yaml")
    text = 'hosts: {server: pi4}\nvars: {spec: s}\ntitle: "{{ spec }} {{ who }} {{ only }}"\n'
    assert read(text, inventory=inventory).title == "s host group"


def test_another_host_brings_its_own_variables():
    inventory = parse_inventory("hosts: {a: {vars: {x: 1}}, b: {vars: {x: 2}}}", "hosts.yaml")
    text = 'hosts: {server: a, load: a}\ntitle: "{{ x }}"\n'
    exp = read(text, inventory=inventory, host="b")
    assert (exp.title, exp.hosts.server, exp.hosts.same) == ("2", ("b",), True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('title: "{{ a }}"\n', "1:8 unknown variable `a`"),
        ('vars: {ab: 1}\ntitle: "{{ abc }}"\n', "2:8 unknown variable `abc`; did you mean `ab`?"),
        (
            'vars: {a: "{{ b }}", b: "{{ a }}"}\n',
            "1:11 the variables refer to each other in a circle",
        ),
        ('vars: {a: [1]}\ntitle: "x{{ a }}"\n', "2:8 `a` is a list or a mapping"),
        ('title: "{{ a + 1 }}"\n', "1:8 cannot read {{ a + 1 }}"),
        ('factors: {f: [x]}\ntitle: "{{ f }}"\n', "2:8 `f` is a factor"),
    ],
)
def test_what_has_no_value_is_a_fault_at_its_place(text, fault):
    assert faults(text)[0].startswith(fault)


def test_a_fault_in_a_filled_in_value_stands_where_the_expression_does():
    assert faults('vars: {s: 32M}\nworkload: {argv: [a], within: "{{ s }}"}\n') == [
        "2:31 `32M` is ambiguous: write 32MB (powers of 1000) or 32MiB (powers of 1024)"
    ]


def test_braces_can_be_written():
    assert read("title: \"{{ '{{' }} x }}\"\n").title == "{{ x }}"


SECRET = """\
vars: {pw: !secret env:RUNNER_TEST_PW}
workload:
  argv: [a]
  env: {A: !secret env:RUNNER_TEST_PW, B: "x-{{ pw }}-y", C: !secret file:key.txt}
"""


def test_secrets_are_read_at_the_last_moment_and_shown_nowhere(tmp_path, monkeypatch):
    path = tmp_path / "spec.yaml"
    path.write_text(SECRET)
    monkeypatch.delenv("RUNNER_TEST_PW", raising=False)
    env = load(path).workload.env
    with pytest.raises(SpecError, match="RUNNER_TEST_PW is not set"):
        env["A"].get_secret_value()
    with pytest.raises(SpecError, match="cannot be read"):
        env["C"].get_secret_value()
    monkeypatch.setenv("RUNNER_TEST_PW", "hush")
    (tmp_path / "key.txt").write_text("hush file\n")
    assert [env[key].get_secret_value() for key in "ABC"] == ["hush", "x-hush-y", "hush file"]
    exp = load(path)
    for shown in (
        str(exp),
        repr(exp),
        str(env),
        canonical_json(expand(exp)),
        exp.model_dump_json(),
    ):
        assert "hush" not in shown
    assert str(env["B"]) == MASK


def test_a_secret_in_the_state_is_neither_read_nor_shown(monkeypatch):
    monkeypatch.delenv("RUNNER_TEST_PW", raising=False)
    text = "system: {files: {/etc/x: {content: !secret env:RUNNER_TEST_PW}}}\n"
    exp = read(text)
    assert expand(exp)["system"]["files"]["/etc/x"]["content"] == {"secret": ["env:RUNNER_TEST_PW"]}
    assert MASK in repr(exp)
    monkeypatch.setenv("RUNNER_TEST_PW", "hush")
    ((_, payload),) = exp.system.items()
    assert payload.root["/etc/x"].content.get_secret_value() == "hush"
    assert "hush" not in repr(exp) + str(exp) + canonical_json(expand(exp)) + exp.model_dump_json()


def test_secrets_of_a_spec_decide_its_hash_by_their_place():
    one = read("workload: {argv: [a], env: {A: !secret env:X}}\n")
    two = read("workload: {argv: [a], env: {A: !secret env:Y}}\n")
    assert expand(one) != expand(two)
    assert one == read("workload: {argv: [a], env: {A: !secret env:X}}\n")


def test_secrets_have_to_name_a_source_and_cannot_stand_everywhere():
    assert faults("title: !secret env:X\nbuild: {env: {A: !secret X}}\n") == [
        "1:8 a secret cannot be used here",
        "2:18 `!secret X` is not known: write !secret env:NAME or file:path",
    ]
