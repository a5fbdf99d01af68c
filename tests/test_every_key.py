"""What is declared takes effect or is refused: every key of the language, one after the other."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import random
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from runner.apply import building
from runner.errors import RunnerError, SpecError
from runner.spec.experiment import Experiment
from runner.spec.keys import Key, keys
from runner.specfile import load
from runner.toolchain import Build
from runner.toolchain.revision import Tree
from tests.every_key import decided

BASES: dict[str, dict[str, Any]] = {
    "server": {
        "schema": "experiment/1", "name": "n", "hosts": {"server": "local"},
        "build": {"go": "1.22.10"},
        "workload": {"argv": ["{binary}", "{port}", "{a}"], "cgroup": {"memory.max": "64MiB"},
                     "ready": {"http": "http://127.0.0.1:{port}/"}},
        "load": {"generator": "wrk", "url": "http://127.0.0.1:{port}/", "threads": 2,
                 "steps": [{"connections": 8, "duration": "20s"}]},
        "factors": {"a": ["p", "q"]}, "repeat": {"between": [2, 4]},
        "metrics": {"m": {"from": "procfs.rss"}},
    },
    "rate": {
        "schema": "experiment/1", "workload": {"argv": ["x", "{port}"]},
        "load": {"generator": "vegeta", "url": "http://127.0.0.1:{port}/", "rate": 50,
                 "measure": "20s"},
        "metrics": {"m": {"from": "load.rps"}},
    },
    "search": {
        "schema": "experiment/1", "workload": {"argv": ["x", "{port}"]},
        "load": {"url": "http://127.0.0.1:{port}/", "measure": "9s"},
        "healthy": ["load.error_ratio <= 0.1"], "repeat": {"unit": "search"},
        "search": {"find": "highest healthy connections", "between": [8, 512]},
    },
    "bench": {
        "schema": "experiment/1", "build": {"go": "1.22.10"}, "workload": {"go_test": {}},
    },
    "once": {
        "schema": "experiment/1", "name": "n", "workload": {"argv": ["x", "{a}"], "run": "once"},
        "factors": {"a": ["p", "q"]}, "baseline": {"a": "p"}, "repeat": 6,
        "metrics": {"m": {"from": "stdout.json.x"}, "k": {"from": "stdout.json.y"}},
        "claims": [{"id": "c", "quote": "q", "metric": "m", "where": {"a": "p"},
                    "published": {"low": 9, "high": 12}}],
        "report": {"table": {"rows": ["a"], "columns": ["m"]},
                   "tables": [{"rows": ["a"], "columns": ["k"]}],
                   "figures": [{"show": ["m"], "over": "a"}]},
    },
    "same": {
        "schema": "experiment/1", "name": "n", "workload": {"argv": ["x", "{a}{b}"], "run": "once"},
        "factors": {"a": ["p", "q"], "b": ["r", "s"]}, "repeat": 6,
        "metrics": {"m": {"from": "stdout.json.x"}, "k": {"from": "stdout.json.y"}},
        "claims": [{"id": "c", "quote": "q", "same": {"metric": "m", "across": "a"}}],
    },
    "faults": {
        "schema": "experiment/1", "workload": {"argv": ["x", "{port}"]},
        "load": {"url": "http://127.0.0.1:{port}/", "connections": 4, "measure": "30s"},
        "faults": [{"at": "2s", "for": "3s", "network": {"link": "eth0", "delay": "3ms"}}],
    },
}  # fmt: skip

ANY: tuple[Any, ...] = (
    True, False, 3, 7, 2, "7", "x", "k", "3s", "64MiB", "5%", "0-1", "never", "always", "HUP",
    "q", ["x"], ["q"], [3], {"x": "7"}, {"x": 7}, {"p": "q"}, "p", "a", "m", ["m"], "2026-01-01",
)  # fmt: skip
"""What is tried where nothing particular is said."""

VALUES: dict[str, tuple[Any, ...]] = {}
"""What is tried for a key, by its path or by the end of it."""

VALUES |= {
    "schema": (), "hosts.server": ("other",), "hosts.load": ("other",),
    "vars": (),  # filled in before there is an Experiment: tests/specfile/test_variables.py
    "load.body_file.path": (),  # a name: its bytes are sent, tests/specfile/test_bodies.py
    "claims[].note": (),  # which run `runner claims` takes: tests/apply/test_choose.py
    "system.sysctl": ({"vm.swappiness": 3},), "confirm.healthy": (2, 4), "baseline": ({"a": "q"},),
    "load.method": ("POST",), "load.think": ("100ms", ["1ms", "5ms"]), "load.headers": ({"A": "b"},), "expect.status": ([201],),
    "build.runs": (),  # what a flag may run: tests of runner/spec/reach.py
    "metrics.<name>.better": (),  # which side is worse: tests/analysis/runs
    "system.actions": (["drop_caches"],), "system.aslr": ("off",), "io.max": ("8:0 rbps=1048576",),
    "system.cgroup.<name>.io.max": ("8:0 rbps=1048576",), "cpu_frequency.min": ("600MHz",),
    "cpu_frequency.max": ("1.2GHz",), "mtu": (1400,), "addresses": (["10.0.0.2/24"],),
    "load.generator": ("h2load", "command"), "until.temperature_below": ("50°C",),
    "faults[].for": ("4s",),
    "search.find": ("lowest healthy connections",), "search.between": ([9, 600],),
    "search.workload": ("keep",), "repeat.order.by": ("written",), "repeat.unit": ("trial",),
    "repeat.between": ([3, 5],), "repeat.levels.boot": ("block", 2), "repeat.levels.build": ("block", 2), "build.go": ("1.21.5",), "build.flags": (["-buildvcs=false"],),
    "workload.run": ("once",), "workload.network": ("isolated",), "repeat.order.together": ("state",),
    "metrics.<name>.from": ("stdout.json.y",), "claims[].where": ({"a": "q"},),
    "claims[].testable": (False,), "load.between_steps": ("fresh",), "skip[].when": ({"a": "q"},),
    "claims[].estimand": ("mean", "never"), "report.figures[].over": ("time",),
    "healthy": (["workload.exit_code == 3"],), "guards": (["workload.exit_code == 3"],),
    "abort_when": (["workload.dead for 7s"],), "metrics.<name>.kind": ("exact", "text"),
}  # fmt: skip

REFUSED: dict[str, Any] = {
    "load.script": "x.lua", "faults[].clock": {"step": "1s"},
}  # fmt: skip
"""Keys that nothing can carry out yet, and a value that each would have."""

PAIRS: dict[str, tuple[str, str, Any, Any]] = {}
"""Keys that need others beside them: base, place, and two values that differ in the key alone."""


def _pair(key: str, base: str, place: str, common: dict[str, Any], *values: Any) -> None:
    name = key.rpartition(".")[2]
    one, other = (
        {**common, name: value} if value is not None else dict(common) for value in values
    )
    PAIRS[key] = (base, place, one, other)


for _name in ("url", "section", "authors", "doi", "read_on", "note"):
    _text = {"read_on": ("2026-01-01", "2026-01-02"), "url": ("https://a/", "https://b/")}.get(
        _name, ("x", "y")
    )
    _pair(f"source.{_name}", "once", "source", {"title": "t"}, *_text)
for _kind in ("files", "templates"):
    _file: dict[str, Any] = {"content": "x"} if _kind == "files" else {"src": "x"}
    for _name, _two in {
        "mode": ("0600", "0644"), "owner": (1, 2), "group": (1, 2), "secret": (False, True),
        "xattrs": ({"user.a": "x"}, {"user.a": "y"}),
    }.items():  # fmt: skip
        _pair(f"system.{_kind}.<name>.{_name}", "server", f"system.{_kind}./x", _file, *_two)
_pair("system.files.<name>.content", "server", "system.files./x", {}, "x", "y")
_pair("system.files.<name>.src", "server", "system.files./x", {}, "x", "y")
_pair("system.templates.<name>.src", "server", "system.templates./x", {}, "x", "y")
_pair("system.files.<name>.symlink", "server", "system.files./x", {}, "/a", "/b")
PAIRS["system.files.<name>.directory"] = (
    "server",
    "system.files./x",
    {"directory": True},
    {"content": "x"},
)
PAIRS["system.files.<name>.absent"] = (
    "server",
    "system.files./x",
    {"absent": True},
    {"content": "x"},
)
_CMD = {"present": ["b"]}
_pair("system.kernel_cmdline.reboot", "server", "system.kernel_cmdline", _CMD, "never", "allowed")
_pair("system.kernel_cmdline.absent", "server", "system.kernel_cmdline", _CMD, [], ["psi=0"])
_pair("system.nofile.soft", "server", "system.nofile", {"hard": 9000}, 5000, 6000)
_pair("system.nofile.hard", "server", "system.nofile", {"soft": 5000}, 9000, 8000)
_pair("system.swap.<name>.priority", "server", "system.swap./s", {}, 1, 2)
for _limit in ("as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nofile", "nproc",
               "rtprio", "sigpending", "stack"):  # fmt: skip
    _at = f"workload.limits.{_limit}"
    _pair(f"{_at}.soft", "once", _at, {"hard": 9}, 5, 6)
    _pair(f"{_at}.hard", "once", _at, {"soft": 5}, 9, 8)
_FETCH: dict[str, Any] = {"name": "f", "url": "http://127.0.0.1:{port}/"}
for _name, _two in {"name": ("a", "b"), "url": ("http://a/", "http://b/"), "binary": (False, True),
                    "when": ("before", "after")}.items():  # fmt: skip
    _pair(f"workload.fetch[].{_name}", "server", "workload.fetch.[]", _FETCH, *_two)
_pair("workload.fetch[].path", "server", "workload.fetch.[]", {"name": "f"}, "/a", "/b")
_pair("workload.fetch[].after", "server", "workload.fetch.[]",
      {**_FETCH, "when": "during_step"}, "1s", "2s")  # fmt: skip
_RAMP = {"from": 8, "to": 32, "duration": "5s"}
for _name, _two in {"from": (8, 4), "to": (32, 64), "duration": ("5s", "6s")}.items():
    _pair(f"load.steps.{_name}", "server", "load.steps", {**_RAMP, "times": 2}, *_two)
_pair("load.steps.times", "server", "load.steps", _RAMP, 2, 4)
_pair("load.steps.by", "server", "load.steps", _RAMP, 8, 12)
_pair("load.steps.vary", "rate", "load.steps", {**_RAMP, "times": 2}, "rate", "connections")
_WHEN = {"at": "2s", "for": "3s"}
_pair("faults[].network.down", "faults", "faults.[].network", {}, "eth0", "uplink")
for _name in ("pause", "kill"):
    PAIRS[f"faults[].process.{_name}"] = (
        "faults", "faults.[]", {**_WHEN, "process": {"pause": "workload"}},
        {"at": "2s", "process": {"kill": "workload"}},
    )  # fmt: skip
PAIRS["faults[].memory.pressure"] = (
    "faults", "faults.[]", {**_WHEN, "memory": {"pressure": "1MiB"}},
    {**_WHEN, "memory": {"pressure": "2MiB"}},
)  # fmt: skip
PAIRS["skip[].why"] = (
    "once",
    "skip.[]",
    {"when": {"a": "q"}, "why": "x"},
    {"when": {"a": "p"}, "why": "x"},
)
PAIRS["skip[].when"] = PAIRS["skip[].why"]
for _name, _ends in (("interval", ("90%", "95%")), ("metric", ("m", "k"))):
    _one, _other = (
        {"between": [6, 8], "stop_when": {"half_width": "5%", _name: end}} for end in _ends
    )
    PAIRS[f"repeat.stop_when.{_name}"] = ("once", "repeat", _one, _other)
_METRIC = {"from": "stdout.json.x"}
_pair("metrics.<name>.better", "once", "metrics.m", _METRIC, "higher", "lower")
_pair("metrics.<name>.at", "search", "metrics.m", {"from": "load.rps"}, "8", "9")
_pair("metrics.<name>.per", "server", "metrics.m", {"from": "procfs.rss"}, None, "step")
_pair("metrics.<name>.statistic", "server", "metrics.m", {"from": "procfs.rss"}, None, "min")
_pair("metrics.<name>.as", "server", "metrics.m", {"from": "gctrace.count"}, None, "rate/min")
_pair(
    "metrics.<name>.pattern",
    "once",
    "metrics.m",
    {"from": "stdout.regex"},
    "x.: ([0-9.]+)",
    "y.: ([0-9.]+)",
)
_pair("metrics.<name>.range", "once", "metrics.m", _METRIC, None, [0, 3])
_CLAIM = {"id": "c", "quote": "q", "metric": "m", "where": {"a": "p"}}
_PUBLISHED = {
    "low": ({"low": 9, "high": 12}, {"low": 11, "high": 12}), "high": ({"low": 9, "high": 12}, {"low": 9, "high": 10}),
    "value": ({"value": 10}, {"value": 11}), "rounded_to": ({"value": 10}, {"value": 10, "rounded_to": 3}),
    "plus_minus": ({"value": 10}, {"value": 10, "plus_minus": 3}),
}  # fmt: skip
for _name, (_one, _other) in _PUBLISHED.items():
    PAIRS[f"claims[].published.{_name}"] = ("once", "claims.[].published", _one, _other)
    PAIRS[f"claims[].published.levels.<name>.{_name}"] = (
        "once", "claims.[]", {"id": "c", "quote": "q", "metric": "m", "published": {"by": "a", "levels": {"p": _one}}},
        {"id": "c", "quote": "q", "metric": "m", "published": {"by": "a", "levels": {"p": _other}}},
    )  # fmt: skip
PAIRS["claims[].published.by"] = PAIRS["claims[].published.levels.<name>.low"]
PAIRS["claims[].expect"] = (
    "once", "claims.[]", {"id": "c", "quote": "q", "expect": "m[a=p] < m[a=q]"},
    {"id": "c", "quote": "q", "expect": "m[a=p] > m[a=q]"},
)  # fmt: skip
for _name in ("absolute", "relative", "why"):
    _text = "absolute" if _name == "why" else _name
    PAIRS[f"claims[].margin.{_name}"] = (
        "once", "claims.[]", {**_CLAIM, "published": {"value": 10}},
        {**_CLAIM, "published": {"value": 10}, "margin": {_text: "5%" if _name == "relative" else 3, "why": "x"}},
    )  # fmt: skip
_RANGE = {**_CLAIM, "published": {"low": 9, "high": 12}}
_pair("claims[].why", "once", "claims.[]", {**_RANGE, "testable": False}, "x", "y")
_pair(
    "claims[].declared",
    "once",
    "claims.[]",
    {**_RANGE, "must": ["thp"]},
    {"thp": "never"},
    {"thp": "madvise"},
)
_pair("claims[].unit", "once", "claims.[]", _RANGE, None, "1")
PAIRS["claims[].estimand.quantile"] = (
    "once",
    "claims.[]",
    {**_RANGE, "estimand": {"quantile": 0.5}},
    {**_RANGE, "estimand": {"quantile": 0.9}},
)
PAIRS["claims[].bound"] = (
    "once", "claims.[]",
    {"id": "c", "quote": "q", "expect": "m[a=p] < m[a=q]", "estimand": "always", "bound": "1 in 2"},
    {"id": "c", "quote": "q", "expect": "m[a=p] < m[a=q]", "estimand": "always", "bound": "1 in 20"},
)  # fmt: skip
PAIRS["hosts.load.per"] = (
    "server", "hosts", {"server": "local"},
    {"server": "local", "load": {"per": "board", "hosts": ["other"]}},
)  # fmt: skip
_pair("hosts.load.hosts", "server", "hosts.load", {"per": "board"}, ["other"], ["another"])
_pair("claims[].scope", "once", "claims.[]", _RANGE, None, "kind")
_TABLE = {"columns": ["m"]}
_pair("report.table.rows", "once", "report.table", _TABLE, [], ["a"])
_pair("report.tables[].rows", "once", "report.tables.[]", _TABLE, [], ["a"])
_pair("report.figures[].show", "once", "report.figures.[]", {"over": "a"}, ["m"], ["k"])
PAIRS["workload.ready.stderr"] = (
    "server", "workload.ready", {"stderr": "up"}, {"stderr": "on"},
)  # fmt: skip
_pair(
    "report.figures[].split",
    "once",
    "report.figures.[]",
    {"over": "a", "show": ["m"]},
    None,
    "board",
)
_READY = {"http": "https://127.0.0.1:{port}/"}
_pair("workload.ready.insecure", "server", "workload.ready", _READY, False, True)
_pair("workload.ready.ca", "server", "workload.ready", _READY, "/a.pem", "/b.pem")
PAIRS["workload.ready.listening"] = (
    "server", "workload.ready", {"tcp": "{port}"}, {"listening": True},
)  # fmt: skip
_HTTPS = {**BASES["rate"]["load"], "url": "https://127.0.0.1:{port}/"}
PAIRS["load.ca"] = ("rate", "load", {**_HTTPS, "ca": "/a.pem"}, {**_HTTPS, "ca": "/b.pem"})
PAIRS["load.body_file.base64"] = ("rate", "load", *(
    {**BASES["rate"]["load"], "method": "POST", "body_file": {"path": "a", "base64": text}}
    for text in ("YQ==", "Yg==")
))  # fmt: skip
_OPEN = {"generator": "vegeta", "url": "http://127.0.0.1:{port}/"}
_SPIKE = {"base": 1, "peak": 9, "at": "1s", "for": "2s"}


def _shaped(key: str, *steps: dict[str, Any]) -> None:
    loads = ({**_OPEN, "steps": [{**step, "duration": "9s"}]} for step in steps)
    PAIRS[f"load.steps[].{key}"] = ("rate", "load", *loads)


_shaped("ramp", {"ramp": [0, 9]}, {"ramp": [3, 9]})
_shaped("spike", {"spike": _SPIKE}, {"rate": 1})
for _name, _value in {"base": 2, "peak": 7, "at": "2s", "for": "3s"}.items():
    _shaped(f"spike.{_name}", {"spike": _SPIKE}, {"spike": {**_SPIKE, _name: _value}})
_shaped("arrivals", {"arrivals": {"file": "a", "times": "0.5"}}, {"rate": 1})
for _name in ("file", "times"):  # a name of its own; the times are those of the file
    _shaped(f"arrivals.{_name}", *({"arrivals": {"file": one, "times": one}} for one in ("1", "2")))
PAIRS["load.argv"] = ("server", "load", *(
    {"generator": "iperf3", "connections": 4, "measure": "9s", "argv": argv} for argv in ([], ["-u"])
))  # fmt: skip
PAIRS["load.body"] = (
    "rate",
    "load",
    {**BASES["rate"]["load"], "method": "POST", "body": "x"},
    {**BASES["rate"]["load"], "method": "POST", "body": "y"},
)
PAIRS["load.urls[].weight"] = (
    "server",
    "load",
    *(
        {
            "generator": "wrk",
            "urls": [
                {"url": "http://127.0.0.1:{port}/", "weight": weight},
                {"url": "http://127.0.0.1:{port}/b"},
            ],
            "connections": 4,
            "measure": "9s",
        }
        for weight in (1, 3)
    ),
)
_FIGURE = {"over": "a", "show": ["m"], "kind": "points"}
_LINES = {"over": "time", "show": ["procfs.rss"], "kind": "over_time"}
for _name in ("over", "kind"):
    PAIRS[f"report.figures[].{_name}"] = ("once", "report.figures.[]", _FIGURE, _LINES)
PAIRS["claims[].testable"] = (
    "once",
    "claims.[]",
    _RANGE,
    {**_RANGE, "testable": False, "why": "x"},
)


def _put(spec: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Set a key; a name of the user's is the first that is there, or `x`."""
    spec = copy.deepcopy(spec)
    here: Any = spec
    for at, part in enumerate(path):
        last = at == len(path) - 1
        step: Any = part
        if isinstance(here, list):
            step = 0
            if not here:
                here.append({})
        elif part == "<name>":
            step = next(iter(here), "x")
        if last:
            here[step] = value
            return spec
        below = here.get(step) if isinstance(here, dict) else here[step]
        if not isinstance(below, (dict, list)):
            below = [] if path[at + 1] == "[]" else {}
            here[step] = below
        here = below
    return spec


VALUES |= {"system.sysfs": ({"/sys/kernel/mm/ksm/run": 1},)}
VALUES |= {"treatments": ([{"a": "q"}],)}
VALUES |= {"workload.user": ("nobody",), "workload.umask": ("027",), "workload.stdin": ("hello",)}
_pair("workload.stdin.path", "once", "workload.stdin", {}, "/a", "/b")
_pair("metrics.<name>.skip", "once", "metrics.m", {**_METRIC, "statistic": "max"}, None, 1)
_MANY = {"from": "stdout.regex", "pattern": r'"x": (\S+), "y": (\d+)', "statistic": "max"}
for _name, _two in {
    "t": (1, 2),
    "v": (1, 2),
    "unit": ("s", "ms"),
    "since": ("start", "unix"),
}.items():
    PAIRS[f"metrics.<name>.series.{_name}"] = ("once", "metrics.m", *(
        {**_MANY, "series": {"t": 1, "v": 2, _name: value}} for value in _two
    ))  # fmt: skip
_LOAD = {"generator": "command", "argv": ["x"], "connections": 4, "measure": "9s"}
_NUMBER: dict[str, Any] = {"pattern": "p99 (.*)", "unit": "ms"}
for _name, _one, _other in (
    ("pattern", _NUMBER, {**_NUMBER, "pattern": "(.*)"}),
    ("unit", _NUMBER, {**_NUMBER, "unit": "us"}),
    ("statistic", _NUMBER, {**_NUMBER, "statistic": "max"}),
    ("skip", {**_NUMBER, "statistic": "max"}, {**_NUMBER, "statistic": "max", "skip": 2}),
    ("from", {"from": "stdout.json.a", "unit": "s"}, {"from": "stdout.csv.a", "unit": "s"}),
):
    PAIRS[f"load.numbers.<name>.{_name}"] = ("server", "load", *(
        {**_LOAD, "numbers": {"latency_p99": number}} for number in (_one, _other)
    ))  # fmt: skip
_pair("workload.prepare[].actions", "once", "workload.prepare.[]", {}, ["sync"], ["drop_caches"])
_pair("workload.prepare[].run", "once", "workload.prepare.[]", {}, ["x"], ["y"])
_pair("workload.prepare[].when", "server", "workload.prepare.[]", {"run": ["x"]}, "before", "ready")
for _name, _values in (("metric", ("m", "k")), ("across", ("a", "b"))):
    _ways = [{"metric": "m", "across": "a", _name: value} for value in _values]
    PAIRS[f"claims[].same.{_name}"] = ("same", "claims.[].same", *_ways)
PAIRS["claims[].same"] = ("same", "claims.[].same", {"metric": "m", "across": "a"},
                          {"metric": "k", "across": "b"})  # fmt: skip
_pair("workload.timeout", "once", "workload", {"argv": ["x"], "run": "once"}, "1s", "2s")
_pair("workload.prepare[].within", "once", "workload.prepare.[]", {"run": ["x"]}, "1s", "2s")
_COMMAND = {"command": ["make", "x"], "output": "x"}
_pair("build.ref", "server", "build", {"go": "1.22.10"}, "main", "HEAD~1")
_pair("build.command", "server", "build", {"output": "x"}, ["make", "x"], ["make", "y"])
_pair("build.output", "server", "build", {"command": ["make"]}, "x", "y")
_pair("build.sources", "server", "build", _COMMAND, ["."], ["src"])
_pair("build.tools", "server", "build", _COMMAND, [], ["gcc"])

MADE = Build(
    path=Path("/none"), sha256="0", size=1, build_id="", cached=True, command="", stderr="",
    seconds=0.0, toolchain="", how="", sections={}, stripped=None, dynamic=None, machine="",
)  # fmt: skip


def _values(key: Key) -> tuple[Any, ...]:
    name = str(key)
    for end, values in VALUES.items():
        if name == end or name.endswith(f".{end}"):
            return values
    return ANY


@pytest.fixture
def requests(monkeypatch):
    """What the builder is asked for, without a build."""
    asked: list[Any] = []
    monkeypatch.setattr(building, "resolve", lambda *_: None)
    monkeypatch.setattr(building, "build", lambda request, *_: asked.append(request) or MADE)
    monkeypatch.setattr(
        building, "build_command", lambda request, *_: asked.append(request) or MADE
    )
    monkeypatch.setattr(building, "working_tree", lambda *_: "")
    monkeypatch.setattr(
        building, "tree", lambda folder, ref, *_: asked.append(ref) or Tree(folder, "0" * 40)
    )
    return asked


def _parts(place: str) -> tuple[str, ...]:
    """Give the way to a place; a path of a file is one step."""
    words = place.replace("./", "\0/").split(".") if "./" in place else place.split(".")
    return tuple(part for word in words for part in word.split("\0"))


def _tries(key: Key) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Give specs that differ in the key: the name of the base, without it and with it."""
    pair = PAIRS.get(str(key))
    if pair is not None:
        base, place, one, other = pair
        path = _parts(place)
        yield f"{key}", _put(BASES[base], path, one), _put(BASES[base], path, other)
        return
    for name, base in BASES.items():
        for value in _values(key):
            with contextlib.suppress(KeyError, TypeError, IndexError):
                yield name, base, _put(base, key.path, value)


def effective(
    key: Key, known: dict[str, str], requests: list[Any], file: Path, crashed: list[str]
) -> tuple[bool, bool]:
    """Whether some value of a key is taken somewhere, and whether it then decides something."""
    taken = False
    for name, base, spec in _tries(key):
        try:
            experiment = Experiment.model_validate(spec)
            before = Experiment.model_validate(base)
            file.write_text(json.dumps(spec))
            load(file)  # with all that only the whole shows
        except (ValidationError, SpecError):
            continue
        if experiment == before:
            continue
        taken = True
        try:
            if name not in known:
                known[name] = decided(before, requests)
            if decided(experiment, requests) != known[name]:
                return True, True
        except ValidationError:
            continue  # levels that clash are a fault of the file
        except Exception as error:  # noqa: BLE001 - which value of which key did it
            crashed.append(f"{key}: {spec!r}: {error!r}")
            return True, True
    return taken, False


def test_every_key_decides_something(requests, tmp_path):
    known: dict[str, str] = {}
    lost: list[str] = []
    unknown: list[str] = []
    crashed: list[str] = []
    every = list(dict.fromkeys(key.path for key in keys()))
    for path in every:
        key = Key(path, "", "")
        below = any(other[: len(path)] == path and other != path for other in every)
        if below or _values(key) == () or str(key) in REFUSED:
            continue
        taken, decides = effective(key, known, requests, tmp_path / "n.yaml", crashed)
        if not taken:
            unknown.append(str(key))
        elif not decides:
            lost.append(str(key))
    assert not crashed, f"taken and not understood: {crashed}"
    assert not lost, f"read and forgotten: {lost}"
    assert not unknown, f"no value known that these take: {unknown}"


@pytest.mark.parametrize("name", REFUSED)
def test_what_nothing_carries_out_is_refused_with_a_place(name, tmp_path):
    key = next(key for key in keys() if str(key) == name)
    for base in ("server", "rate", "faults"):
        if base == "faults" or not name.startswith("faults"):
            file = tmp_path / "n.yaml"
            file.write_text(json.dumps(_put(BASES[base], key.path, REFUSED[name])))
            with pytest.raises(SpecError, match=r"n\.yaml:1:\d+: "):
                load(file)


Change = tuple[tuple[str, ...], Any, Any]
"""Where, without it, with it; None without it: as in the base."""
OVERRULED = {("load.connections", "load.steps"), ("load.rate", "load.steps"),
             ("load.threads", "load.steps"), ("load.warmup", "load.steps"),
             ("title", "name")}  # fmt: skip
"""What is said of all steps, where every step says it itself."""


def _keys_of(base: str) -> list[Key]:
    """Give the keys that take a value and may be tried in a base."""
    every = list(dict.fromkeys(key.path for key in keys()))
    return [
        key
        for key in (Key(path, "", "") for path in every)
        if not any(o[: len(key.path)] == key.path and o != key.path for o in every)
        and str(key) not in REFUSED
        and PAIRS.get(str(key), (base,))[0] == base
    ]


def _change(
    key: Key, base: str, read: Callable[[dict[str, Any]], Experiment | None]
) -> Change | None:
    """Give a change of a key that is taken in a base and changes what is read, or None."""
    pair = PAIRS.get(str(key))
    tries: list[Change] = (
        [(key.path, None, value) for value in _values(key)] if pair is None
        else [(_parts(pair[1]), *pair[2:])]
    )  # fmt: skip
    for where, one, other in tries:
        with contextlib.suppress(KeyError, TypeError, IndexError):
            before, after = (read(_with(BASES[base], where, value)) for value in (one, other))
            if before is not None and after is not None and before != after:
                return where, one, other
    return None


def _with(spec: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    return spec if value is None else _put(spec, path, value)


def _apart(one: Change, other: Change) -> bool:
    """Whether two changes are of different things: not of one another, nor of one named thing."""
    a, b = one[0], other[0]
    shared = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if shared is None or {"<name>", "[]"} & set(a[:shared]):
        return False
    name = ".".join(a)
    return not any(name == key and ".".join(b).startswith(over) for key, over in OVERRULED)


def _read(file: Path, spec: dict[str, Any]) -> Experiment | None:
    """Give a spec that is taken, with all that only the whole file shows; else None."""
    file.write_text(json.dumps(spec))
    try:
        load(file)
        return Experiment.model_validate(spec)
    except (SpecError, ValidationError):
        return None


def _decides(
    read: Callable[[dict[str, Any]], Experiment | None],
    requests: list[Any],
    change: Change,
    spec: dict[str, Any],
) -> bool | None:
    """Say whether a change makes a difference to a spec; None where it is not taken there."""
    found = []
    for value in change[1:]:
        try:
            experiment = read(_with(spec, change[0], value))
            if experiment is None:
                return None
            found.append(decided(experiment, requests, strict=True))
        except (RunnerError, ValidationError, AssertionError, LookupError, TypeError,
                AttributeError):  # fmt: skip
            return None
    return found[0] != found[1]


PAIRS_OF_A_BASE = int(os.environ.get("RUNNER_PAIRS", "30"))


@pytest.mark.parametrize("base", BASES)
def test_every_key_decides_something_beside_every_other(base, requests, tmp_path):
    """A sample of all pairs, drawn once; RUNNER_PAIRS=5000 tries as many of each base."""

    read = partial(_read, tmp_path / "n.yaml")
    decides = partial(_decides, read, requests)
    change_of = cache(lambda key: _change(key, base, read))
    draw, dead, tried = random.Random(1), [], 0
    pairs = list(itertools.permutations(_keys_of(base), 2))
    draw.shuffle(pairs)
    for one, other in ((change_of(a), change_of(b)) for a, b in pairs):
        if tried == PAIRS_OF_A_BASE:
            break
        if one is None or other is None or not _apart(one, other):
            continue
        answer = decides(one, _put(BASES[base], other[0], other[2]))
        tried += answer is not None
        if answer is False and decides(one, BASES[base]):
            dead.append(f"{one} beside {other[0]}: {other[2]!r}")
    assert tried > PAIRS_OF_A_BASE // 2
    assert not dead
