"""Files that cost: whatever is written, within 2 s and 200 MB it is a spec or its faults."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import textwrap

import pytest

from runner.errors import SpecError
from runner.specfile import SpecFaults, load, parse_text
from runner.specfile.inventory import parse_inventory, reading
from tests.specfile.reading import EXAMPLES, HERE

BASE = 'name: x\nworkload: {argv: [sleep, "1"]}\n'
LOAD = 'load: {url: "http://127.0.0.1:{port}/", '
MERGES = "vars:\n  a0: &a0 {k0: 1, k1: 1}\n" + "".join(
    f"  a{n}: &a{n}\n    <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


def named(number: int) -> str:
    return "{{ a" + str(number) + " }}"


DOUBLED = "vars:\n" + "".join(f'  a{n}: "{named(n + 1) * 10}"\n' for n in range(15)) + "  a15: x\n"
LISTS = (
    "vars:\n"
    + "".join(f"  a{n}: {json.dumps([named(n + 1)] * 10)}\n" for n in range(15))
    + '  a15: x\nworkload: {argv: "{{ a0 }}"}\n'
)
MATRIX = "factors:\n" + "".join(
    f"  f{n}: [{', '.join(f'l{m}' for m in range(30))}]\n" for n in range(8)
)

CASES = {
    "hex": (BASE + "repeat: 0x_\n", "3:9: `0x_` is not a whole number"),
    "tagged": (BASE + LOAD + 'connections: !!int "["}\n', "3:54: `[` is not a whole number"),
    "tagged float": (BASE + LOAD + 'connections: !!float "x"}\n', "`x` is not a number"),
    "tagged bool": (BASE + 'title: !!bool "x"\n', "3:8: `x` is not true or false"),
    "tagged null": (BASE + 'title: !!null "x"\n', "3:8: `x` is tagged as nothing"),
    "binary": (BASE + "title: !!binary aGk=\n", "3:8: the tag `!!binary` is not known"),
    "escape": ('name: "\\UFFFFFFFF"\n', "1:10: is not YAML while parsing a quoted scalar"),
    "escape and half": ('name: "\\ud83d \\UFFFFFFFF"\n', "1:1: holds an escape beyond Unicode"),
    "merge bomb": (BASE + MERGES, "is too large once its aliases are filled in"),
    "anchors": (
        BASE + "".join(f"k{n}: &a{n} x\n" for n in range(20_000)),
        "100 faults and more: only these are told",
    ),
    "38 digits": (BASE + LOAD + f"connections: {'9' * 38}}}\n", "3:54: a number of 38 digits"),
    "18 digits": (BASE + LOAD + f"connections: {'9' * 18}}}\n", "3:54: has to be at most 1000"),
    "digits in quotes": (BASE + f'repeat: {{between: ["{"9" * 39}", 1]}}\n', "has to be at most"),
    "39 nines": (BASE + f"repeat: {'9' * 39}\n", "3:9: a number of 39 digits"),
    "17 nines": (BASE + f"repeat: {'9' * 17}\n", "3:9: has to be at most 10000"),
    "GOOS": (BASE + "build: {env: {GOOS: ∞}}\n", "3:14: GOOS `∞` is not known to Go"),
    "GOARCH": (BASE + "build: {env: {GOARCH: am64}}\n", "did you mean `arm64`?"),
    "env": (BASE + 'build: {env: {"A=B": x}}\n', "3:14: `A=B` cannot name a variable"),
    "NUL in argv": ('schema: experiment/1\nname: x\nworkload: {argv: ["a\\0"], run: once}\n',
                    "3:19: holds a NUL character"),
    "NUL in a level": (BASE + 'factors: {a: ["x\\0", "y"]}\n', "3:14: holds a NUL character"),
    "no level": (BASE + "factors: {a: []}\n", "3:14: has no level"),
    "workload env": (
        "schema: experiment/1\nname: x\nworkload: {argv: [a], run: once, env: {B=C: x}}\n",
        "`B=C` cannot name a variable",
    ),
    "nested": (BASE + f'title: "{"{{ " * 200 + "x" + " }}" * 200}"\n', "too long for an expression"),
    "never closed": (BASE + f'title: "{"{{ " * 300_000}"\n', "is longer than 65536 characters"),
    "doubled": (BASE + DOUBLED + 'title: "{{ a0 }}"\n', "once the variables are filled in"),
    "doubled lists": ("name: x\n" + LISTS, "once the variables are filled in"),
    "matrix": (BASE + MATRIX, "makes 6.56e+11 treatments; at most 10000 are run"),
    "factors": (
        BASE + "factors:\n" + "".join(f"  f{n}: [a, b]\n" for n in range(3000)),
        "makes more than 10^300 treatments",
    ),
    "levels": (BASE + f"factors: {{f: {json.dumps([str(n) for n in range(9000)])}}}\n", "has 9000 levels"),
    "deep": (BASE + "vars: " + "[" * 5000 + "]" * 5000 + "\n", "nested too deeply"),
    "deep mapping": (BASE + "vars: " + "{a: " * 5000 + "}" * 5000 + "\n", "nested too deeply"),
    "deep block": (BASE + "vars:\n" + "".join(" " * n + "a:\n" for n in range(1, 900)), "nested too deeply"),
    "wide": (BASE + "vars: [" + "1, " * 100_000 + "]\n", "more than 50000 values"),
    "digits": (BASE + f"title: {'1' * 500_000}\n", "a number of 500000 digits"),
    "metrics": (
        BASE + "metrics:\n" + "".join(f"  m{n}: {{from: load.x{n}}}\n" for n in range(5000)),
        "3:",
    ),
    "steps": (BASE + "load:\n  steps:\n" + "    - {connections: x, foo: z}\n" * 7000, "faults"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_costly_files_are_clean_faults(name):
    text, message = CASES[name]
    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    with pytest.raises(SpecFaults) as caught:
        parse_text(text, "spec.yaml")
    assert message in caught.value.message
    # in processor time, which other work on the machine does not lengthen
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - began < 2
    assert len(caught.value.message) < 100_000


def test_costly_files_take_little_memory(tmp_path):
    """All of them in turn, in a process that may have 200 MB beside what its imports map."""
    files = []
    for number, (text, _) in enumerate(CASES.values()):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(text, encoding="utf-8")
    code = """
        import sys
        from runner.errors import SpecError
        from runner.specfile import load
        for name in sys.argv[1:]:
            try: load(name)
            except SpecError: pass
        status = open("/proc/self/status").read()  # of this program: maxrss is the parent's too
        print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, files)],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    assert int(done.stdout) < 200


EVIL = [
    "x" * 60_000, "1 " * 30_000, "(" * 30_000, "a." * 30_000, " " * 60_000, "{" * 60_000,
    "{a}" * 20_000, "1h" * 30_000, "-" * 60_000, "a <= " * 12_000, "\\\\" * 20_000, "0x_", "1_", "٣",
    "1e999", "9" * 400, "%", "1 of 0", "0 of 0", "±", "facts.", ".", "..", "/", "//", "@", "a=b",
    "{{ x }}", "{{", "{port}", "nan", "inf", "-0", "1..2", "2..1", "http://[::1", "http://:99999/",
    "file:///etc/passwd", "../../../../etc/passwd", "\t", "a\nb", "é", "\U0001f600", "\u202e",
]  # fmt: skip
WORDS = [
    None,
    True,
    False,
    0,
    -1,
    1,
    10**18 - 1,
    -(10**17),
    0.5,
    -1e308,
    [],
    {},
    [[]],
    [None],
    {"": ""},
]


def places(data, path=()):
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from places(value, (*path, index))


def put(data, path, value):
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = put(copy[path[0]], path[1:], value)
    return copy


def examples():
    import yaml

    return [
        yaml.safe_load((HERE / "examples" / f"{name}.yaml").read_text(encoding="utf-8"))
        for name in EXAMPLES
    ]


def mutants(count: int, seed: int):
    """Specs of which one to three places hold something else, as text."""
    rolls = random.Random(seed)
    known = examples()
    for _ in range(count):
        data = rolls.choice(known)
        for _ in range(rolls.randint(1, 3)):
            path = rolls.choice([path for path in places(data) if path])
            value = rolls.choice([*EVIL, *WORDS, *WORDS])
            if rolls.random() < 0.2:
                other = rolls.choice(known)
                value = rolls.choice([other, *other.values()])
            data = put(data, path, value)
        text = json.dumps(data, default=str, ensure_ascii=rolls.random() < 0.5)
        if rolls.random() < 0.2:
            at, size = rolls.randrange(len(text)), rolls.randint(0, 3)
            text = text[:at] + rolls.choice('"{}[]:,&*!|>%@`\n\t#-?\\') + text[at + size :]
        yield text


def read_or_faults(text: str) -> None:
    from runner.spec.expand import expand
    from runner.spec.treatments import treatments, with_levels

    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    try:
        experiment = parse_text(text).experiment
        expand(experiment)
        for levels in treatments(experiment)[:3]:
            with_levels(experiment, levels)
    except SpecFaults as wrong:
        assert wrong.faults  # noqa: PT017 - either outcome is right
    except Exception as fault:
        raise AssertionError(f"{type(fault).__name__}: {fault} of\n{text[:2000]}") from fault
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - began
    assert spent < 2, f"{spent:.1f} s of processor time for\n{text[:2000]}"


def test_a_name_of_60000_characters_is_compared_with_no_fact():
    """It took minutes: a table of 60,000 by every fact's length for each of them."""
    claim = {"id": "x", "metric": "m", "published": {"value": 1}, "must": ["x" * 60_000]}
    spec = {
        "schema": "experiment/1", "name": "long", "workload": {"argv": ["true"], "run": "once"},
        "metrics": {"m": {"from": "stdout.json.m"}}, "claims": [claim],
        "requires": {"server." + "y" * 60_000: 1},
    }  # fmt: skip
    read_or_faults(json.dumps(spec))


FULL = bool(os.environ.get("FULL"))


@pytest.mark.timeout(3600 if FULL else 120)
def test_mutated_specs_are_specs_or_their_faults():
    """FULL=1 tries 20,000 of them."""
    for text in mutants(20_000 if FULL else 150, seed=1 if FULL else 2):
        read_or_faults(text)


def test_a_costly_inventory_is_a_clean_fault():
    for text in (MERGES, "all:\n" + MERGES, "all: " + "{children: {a: " * 50 + "}}" * 50 + "\n"):
        with pytest.raises(SpecError):
            parse_inventory(text, "hosts.yaml")


@pytest.mark.parametrize("hosts", ['{server: ""}', '{server: [local, " "]}', '{load: ""}'])
def test_an_empty_text_names_no_host(hosts):
    with pytest.raises(SpecFaults, match="an empty text names no host"):
        parse_text(BASE + f"hosts: {hosts}\n")


def test_a_file_without_an_end_is_too_large():
    """A device is read no further than what is taken."""
    with pytest.raises(SpecFaults, match="a spec has at most 1048576 bytes"):
        load("/dev/zero")
    with pytest.raises(SpecFaults, match="an inventory has at most 1048576 bytes"):
        reading.load("/dev/zero")
