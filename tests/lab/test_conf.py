"""slurm.conf and submissions, without a queue."""

import pytest

from runner.errors import RecordError
from runner.lab import conf, submission
from runner.lab.conf import Node
from runner.lab.submission import Share, Submission

FACTS = {"arch": "aarch64", "cgroup.version": 2, "board.model": "Raspberry Pi 4 Model B Rev 1.4"}


def test_features_are_of_tags_groups_and_facts():
    assert conf.features(["4g", "rack 1", "lab"], FACTS) == (
        "4g", "rack_1", "lab", "aarch64", "cgroup_v2", "pi4",
    )  # fmt: skip
    assert conf.features([], {}) == ()


def test_every_board_is_a_node_with_a_port_of_its_own(tmp_path):
    text = conf.text([Node("a", ("pi4",)), Node("b", ())], tmp_path, "gw", 7000)
    assert "SlurmctldHost=gw(127.0.0.1)" in text
    assert "NodeName=a NodeHostname=gw NodeAddr=127.0.0.1 Port=7010 CPUs=1 Features=pi4 " in text
    assert "NodeName=b NodeHostname=gw NodeAddr=127.0.0.1 Port=7011 CPUs=1 State" in text
    assert "JobRequeue=0" in text
    started = [argv[0] for argv in conf.start([Node("a", ()), Node("b", ())], tmp_path)]
    assert started == ["munged", "slurmctld", "slurmd", "slurmd"]


@pytest.mark.parametrize(("name", "fits"), [("pi-4.lab", True), ("pi 4", False), ("", False)])
def test_names_of_nodes(name, fits):
    assert conf.fits(name) is fits


def made(tmp_path, name="20261127T000000Z-aaaaaa"):
    shares = (
        Share(1, "20261127T000000Z-bbbbbb", (1, 3)),
        Share(2, "20261127T000000Z-cccccc", (2,), "b"),
    )
    one = Submission(name, "e", "e.yaml", "h", 3, "pi4", (), str(tmp_path), shares)
    submission.keep(tmp_path, one)
    return one


def test_a_submission_is_found_by_the_beginning_of_its_id(tmp_path):
    one = made(tmp_path)
    made(tmp_path, "20261128T000000Z-dddddd")
    assert submission.find(tmp_path, "20261127") == one
    assert len(submission.all_of(tmp_path)) == 2
    for name, said in (("2026", "is several"), ("x", "is none")):
        with pytest.raises(RecordError, match=said):
            submission.find(tmp_path, name)


def test_one_job_at_a_time_is_at_a_share(tmp_path):
    one = made(tmp_path)
    with submission.alone(tmp_path, one, one.shares[0]) as first:
        with submission.alone(tmp_path, one, one.shares[0]) as second:
            assert (first, second) == (True, False)
        with submission.alone(tmp_path, one, one.shares[1]) as other:
            assert other
    with submission.alone(tmp_path, one, one.shares[0]) as again:
        assert again


def test_a_share_stays_with_the_board_that_began_it(tmp_path):
    one = made(tmp_path)
    first, second = one.shares
    assert submission.node_of(tmp_path, one, first) == ""
    assert submission.node_of(tmp_path, one, second) == "b"
    submission.begin_at(tmp_path, one, first, "a")
    submission.begin_at(tmp_path, one, first, "c")
    assert submission.node_of(tmp_path, one, first) == "a"
    assert submission.record_of(tmp_path, one, first) is None
