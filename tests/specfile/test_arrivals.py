"""Ramps, spikes and files of times: what they plan, what is sent, what is refused."""

from __future__ import annotations

import pytest
import yaml

from runner.apply.checks.preflight import most_connections
from runner.compile.load import load_steps
from runner.errors import SpecError
from runner.spec.experiment import Experiment
from runner.specfile import load

SPEC = {
    "schema": "experiment/1",
    "name": "arrivals",
    "workload": {"argv": ["server", "{port}"], "ready": {"tcp": "{port}"}},
}


def spec(tmp_path, *steps, more=None, **keys):
    file = tmp_path / "exp.yaml"
    given = {"generator": "vegeta", "timeout": "2s", "steps": list(steps), **keys}
    file.write_text(yaml.safe_dump({**SPEC, "load": given, **(more or {})}))
    return load(file)


def compiled(experiment):
    steps, files = load_steps(experiment, None)
    return [asked for _, asked in steps], {file["name"]: file["text"] for file in files}


def test_each_step_has_its_shape_its_mean_and_its_name(tmp_path):
    spike = {"base": "10/s", "peak": "110/s", "at": "4s", "for": "1s"}
    experiment = spec(
        tmp_path,
        {"ramp": [0, "500/s"], "duration": "30s"},
        {"spike": spike, "duration": "10s"},
        {"rate": "5/s", "duration": "10s"},
    )
    assert [step.name for step in experiment.load.expanded_steps()] == [
        "0-500/s", "10-110/s spike", "5/s",
    ]  # fmt: skip
    ramp, spiked, plain = compiled(experiment)[0]
    assert ramp.shape == ((0.0, 0.0), (30.0, 500.0))
    assert (ramp.rate, spiked.rate, plain.rate) == (250, 20, 5)
    assert spiked.shape == (
        (0.0, 10.0), (4.0, 10.0), (4.0, 110.0), (5.0, 110.0), (5.0, 10.0), (10.0, 10.0),
    )  # fmt: skip
    # as many can wait as come at the highest rate within the timeout
    assert [step.connections for step in (ramp, spiked, plain)] == [1000, 220, 10]
    assert most_connections(experiment) == 1000
    assert not plain.shaped


def test_a_file_is_sent_by_its_content_and_stands_in_the_record(tmp_path):
    (tmp_path / "times.txt").write_text("0\n0.5\n 0.75\n0.75\n3\n")
    experiment = spec(tmp_path, {"arrivals": {"file": "times.txt"}, "duration": "4s"})
    (asked,), files = compiled(experiment)
    assert files[asked.arrivals] == "0\n0.5\n0.75\n0.75\n3"
    assert (asked.rate, asked.connections) == (1.25, 4)  # four within two seconds
    (tmp_path / "times.txt").unlink()
    again = Experiment.model_validate(experiment.model_dump(mode="json", by_alias=True))
    assert compiled(again) == ([asked], files)


def test_a_bare_name_and_a_level_have_a_file_too(tmp_path):
    (tmp_path / "a.txt").write_text("0.1\n")
    (tmp_path / "b.txt").write_text("0.1\n0.2\n")
    steps = {
        name: {"load": {"steps": [{"arrivals": f"{name}.txt", "duration": "1s"}]}} for name in "ab"
    }
    experiment = spec(
        tmp_path, {"arrivals": "a.txt", "duration": "1s"}, more={"factors": {"file": steps}}
    )
    from runner.spec.treatments import treatments, with_levels

    counts = [
        compiled(with_levels(experiment, levels))[0][0].rate for levels in treatments(experiment)
    ]
    assert counts == [1, 2]


def test_the_warm_up_of_a_ramp_is_at_its_first_rate(tmp_path):
    from runner.compile.load import load_part

    experiment = spec(tmp_path, {"ramp": ["7/s", "9/s"], "duration": "2s", "warmup": "1s"})
    (step,) = load_part(experiment, load_steps(experiment, None)[0])["steps"]
    assert "-rate=7" in step["warmup"]
    assert "-shape=0:7,2:9" in step["argv"]


RAMP = {"ramp": [0, "9/s"], "duration": "2s"}


@pytest.mark.parametrize(
    ("step", "keys", "said"),
    [
        (RAMP, {"generator": "wrk", "connections": 1}, "wrk cannot be told ramp: say `generator"),
        (RAMP, {"generator": "command", "argv": ["x", "{rate}"]}, "command cannot be told ramp"),
        (RAMP, {"rate": "3/s"}, "every step has arrivals of its own: leave out load.rate"),
        (RAMP, {"warmup": "1s"}, "begins at 0/s, which is no rate to warm up at"),
        ({**RAMP, "rate": "3/s"}, {}, "rate and ramp both say when requests come"),
        ({"ramp": [0, 0]}, {}, "from 0/s to 0/s sends nothing"),
        ({"ramp": [0, "0.1/s"], "duration": "2s"}, {}, "sends less than one request"),
        ({"ramp": ["3/s"]}, {}, "has two rates, the first and the last"),
        ({"spike": {"base": 1, "peak": 9, "at": "9s", "for": "2s"}, "duration": "10s"}, {},
         "ends after 11 s, and the step after 10 s"),
        ({"spike": {"base": 9, "peak": 9, "at": "1s", "for": "2s"}}, {}, "are the same rate"),
        ({"arrivals": "nosuch"}, {}, "nosuch: No such file or directory"),
        ({"arrivals": "../exp.yaml"}, {}, "leads out of the spec's folder"),
        ({"arrivals": "huge"}, {}, "and a list of arrivals at most 1048576"),
        ({"arrivals": "words"}, {}, "words, line 2: `nan` is no time"),
        ({"arrivals": "back"}, {}, "back, line 3: 1 s comes after 2 s: sort them"),
        ({"arrivals": "empty"}, {}, "empty, line 1: `` is no time"),
        ({"arrivals": "back0", "duration": "2s"}, {}, "goes on to 2 s: `duration` has to be longer"),
        ({"arrivals": "back0", "warmup": "1s"}, {}, "a file of times has no rate to warm up at"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, step, keys, said):
    (tmp_path / "huge").write_bytes(b"1" * 1048577)
    (tmp_path / "words").write_text("1\nnan\n")
    (tmp_path / "back").write_text("0\n2\n1\n")
    (tmp_path / "back0").write_text("0\n2\n")
    (tmp_path / "empty").write_text("")
    with pytest.raises(SpecError) as wrong:
        spec(tmp_path, step, **keys)
    assert said in str(wrong.value)


def test_a_search_chooses_its_own_rate(tmp_path):
    more = {
        "healthy": ["workload.alive"],
        "search": {"find": "highest healthy rate", "between": [1, 9]},
    }
    with pytest.raises(SpecError, match="a search chooses the level itself: leave out the steps"):
        spec(tmp_path, RAMP, more=more)


def test_a_pause_is_told_to_wrk_and_counts_for_who_waits(tmp_path):
    from runner.compile.load import load_part

    keys = {"generator": "wrk", "think": ["50ms", "150ms"]}
    experiment = spec(tmp_path, {"connections": 2, "duration": "3s"}, **keys)
    steps, files = load_steps(experiment, None)
    assert "return math.random(50, 150)" in files[0]["text"]
    assert steps[0][1].thinks_s == pytest.approx(0.1)
    (step,) = load_part(experiment, steps)["steps"]
    assert step["waiting"]["longer_s"] == pytest.approx(2.15)


@pytest.mark.parametrize(
    ("think", "generator", "said"),
    [
        ("1.5ms", "wrk", "wrk pauses whole milliseconds"),
        (["9ms", "3ms"], "wrk", "the shortest pause, 9ms, is above the longest, 3ms"),
        (["9ms"], "wrk", "is one pause, or the shortest and the longest"),
        ("0s", "wrk", "pauses for 0s: leave it out"),
        ("3ms", "h2load", "think says nothing to h2load: say `generator: wrk`"),
        ("3ms", "none", "think says nothing to none"),
    ],
)
def test_pauses_that_are_refused(tmp_path, think, generator, said):
    keys = {"generator": generator, "think": think}
    with pytest.raises(SpecError) as wrong:
        spec(tmp_path, {"connections": 2, "duration": "3s"}, **keys)
    assert said in str(wrong.value)
