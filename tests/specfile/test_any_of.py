"""`hosts: {server: {any: lab, tags: [pi4], count: 2}}` chooses boards by what the inventory says."""

import pytest

from runner.specfile import SpecFaults, parse_text
from runner.specfile.inventory import parse_inventory

OWN = b"""
hosts:
  a: {address: 192.0.2.1, tags: [pi4, 4g], vars: {word: of-a}}
  b: {address: 192.0.2.2, tags: [pi5]}
  c: {address: 192.0.2.3, tags: [pi4]}
groups: {lab: {hosts: [b, a, c]}}
"""
INI = b"""
[lab]
b ansible_host=192.0.2.2 runner_tags=pi5
a ansible_host=192.0.2.1 runner_tags=pi4,4g word=of-a
c ansible_host=192.0.2.3 runner_tags=pi4
"""
SPEC = """
schema: experiment/1
hosts: {{server: {server}}}
workload: {{argv: [echo, "{{{{ word | default('none') }}}}"], run: once}}
metrics: {{wall: {{from: workload.wall}}}}
repeat: {{per_board: [3, 6]}}
"""


@pytest.fixture(params=[("hosts.yaml", OWN), ("hosts.ini", INI)], ids=["own", "ini"])
def inventory(request):
    name, text = request.param
    return parse_inventory(text, name)


def read(server, inventory, **more):
    return parse_text(SPEC.format(server=server), inventory=inventory, **more).experiment


@pytest.mark.parametrize(
    ("server", "names"),
    [
        ("{any: lab, tags: [pi4]}", ("a", "c")),
        ("{any: lab, tags: pi4, count: 1}", ("a",)),
        ("{any: lab, tags: [pi4, 4g]}", ("a",)),
        ("{any: lab}", ("b", "a", "c")),
        ("{any: 'lab:!a', tags: [pi4]}", ("c",)),
        ("{any: all, tags: [pi5]}", ("b",)),
    ],
)
def test_the_first_that_have_every_tag_are_taken(inventory, server, names):
    assert read(server, inventory).hosts.server == names


def test_limit_narrows_what_was_chosen(inventory):
    assert read("{any: lab, tags: [pi4]}", inventory, limit="c").hosts.server == ("c",)


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (
            "{any: lab, tags: [pi4], count: 3}",
            "3 hosts are asked for of lab with pi4, and there is 2: a, c",
        ),
        ("{any: lab, tags: [pi3]}", "1 host is asked for of lab with pi3, and there is none"),
        ("{any: labb}", "there is no group `labb`; did you mean `lab`?"),
        ("{any: lab, tag: [pi4]}", "unknown key `tag`; did you mean `tags`?"),
        ("{any: lab, count: 0}", "greater than or equal to 1"),
        ("{tags: [pi4]}", "a mapping has to name a group"),
    ],
)
def test_what_cannot_be_chosen_is_one_fault(inventory, server, said):
    with pytest.raises(SpecFaults) as caught:
        read(server, inventory)
    assert said in caught.value.message
    assert caught.value.message.count("^") == 1
