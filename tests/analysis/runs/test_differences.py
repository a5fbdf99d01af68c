"""Two runs that were asked the same differ in nothing, however each of them said it."""

from runner.analysis.model import Analysis
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
