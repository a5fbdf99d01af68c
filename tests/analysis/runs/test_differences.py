"""Two runs that were asked the same differ in nothing, however each of them said it."""

from runner.analysis.model import Analysis
from runner.analysis.runs.boot_words import may_boot
from runner.analysis.runs.differences import differences
from runner.analysis.runs.environment_diff import environment
from runner.analysis.runs.side import Side
from runner.spec.expand import expand
from runner.spec.experiment import Experiment


def side(experiment, **where):
    return Side("x", Analysis(), where, {}, experiment, "x")


def written(limit):
    return {"argv": ["x"], "cgroup": {"memory.max": limit}}


def test_a_level_and_a_spec_that_set_the_same_limit_do_not_differ():
    fixed = Experiment.model_validate({"workload": written("64MiB")})
    levels = {"small": {"workload": {"cgroup": {"memory.max": 1 << 26}}}, "large": {}}
    varied = Experiment.model_validate({"workload": written("1GiB"), "factors": {"m": levels}})
    assert not differences(side(fixed), side(varied, m="small")).settable
    (one,) = differences(side(fixed), side(varied, m="large")).settable
    assert one.path == ("workload", "cgroup", "memory.max")


def test_a_record_that_lacks_a_default_of_today_does_not_differ():
    """An older record has fewer keys: what they would have said is in force all the same."""
    now = expand(Experiment.model_validate({"workload": written("64MiB"), "load": {}}))
    older = dict(now, load={k: v for k, v in now["load"].items() if k != "keep_alive"})
    a, b = (side(Experiment.model_validate(one)) for one in (now, older))
    assert environment(a, b) == ()
    assert differences(a, b).settable == differences(a, b).others == ()


def booted(line, **spec):
    experiment = Experiment.model_validate({"workload": {"argv": ["x"]}, **spec})
    return Side("x", Analysis(), {}, {"kernel.cmdline": line}, experiment, "x")


A_LINE = "console=tty1 root=PARTUUID=1 isolcpus=3 mitigations=off quiet"
B_LINE = "console=tty1 root=PARTUUID=2 isolcpus=2 quiet"


def test_words_of_the_kernel_are_varied_where_it_may_be_booted_and_the_machines_own_never():
    found = differences(booted(A_LINE), booted(B_LINE), boots=True)
    (one,) = found.settable
    assert one.name == "kernel_cmdline"
    assert one.a == {"present": ["isolcpus=3", "mitigations=off"], "absent": ["isolcpus=2"],
                     "reboot": "allowed"}  # fmt: skip
    assert one.b == {"present": ["isolcpus=2"], "absent": ["isolcpus=3", "mitigations=off"],
                     "reboot": "allowed"}  # fmt: skip
    (left,) = found.others
    assert (left.a, left.b) == ("root=PARTUUID=1", "root=PARTUUID=2")


def test_without_leave_to_boot_it_is_said_how_it_is_given():
    found = differences(booted(A_LINE), booted(B_LINE))
    assert found.settable == ()
    assert ["--reboot" in one.why for one in found.others] == [False, True]


def test_what_both_were_booted_with_stays_as_b_asks_for_it():
    """Levels are laid over b's own words: one that both need must not be lost with it."""
    asks = {"system": {"kernel_cmdline": {"present": "psi=1 isolcpus=2", "reboot": "allowed"}}}
    b = booted("psi=1 isolcpus=2", **asks)
    (one,) = differences(booted("psi=1 isolcpus=3"), b, boots=may_boot(b.experiment)).settable
    assert [side["present"] for side in (one.a, one.b)] == [
        ["psi=1", "isolcpus=3"], ["psi=1", "isolcpus=2"]]  # fmt: skip


def test_what_specs_ask_of_one_command_line_is_no_difference():
    asks = {"system": {"kernel_cmdline": {"present": "psi=1"}}}
    found = differences(booted("psi=1", **asks), booted("psi=1"), boots=True)
    assert found.settable == found.others == ()
