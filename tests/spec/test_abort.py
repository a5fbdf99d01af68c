"""A rule that ends a trial early is one that a host can watch, or it is refused."""

import pytest
from pydantic import ValidationError

from runner.spec.experiment import Experiment
from runner.spec.sections.abort import watched


def rules(*texts):
    return Experiment.model_validate({"abort_when": list(texts)}).abort_when


@pytest.mark.parametrize(
    ("texts", "dead_s", "kills", "printed"),
    [
        ((), 1.0, None, {}),
        (("workload.dead",), 0.0, None, {}),
        (("workload.dead for 9s", "workload.dead for 3s"), 3.0, None, {}),
        (("cgroup.oom_kills > 0",), 1.0, 1, {}),
        (("cgroup.oom_kills > 5",), 1.0, 6, {}),
        (("cgroup.oom_kills >= 5", "cgroup.oom_kills > 8"), 1.0, 5, {}),
        (("cgroup.oom_kills >= 1.5",), 1.0, 2, {}),
        (
            ("stdout matches '^FATAL'", "stderr matches 'panic:'", "stdout matches 'x'"),
            1.0,
            None,
            {"stdout": ["^FATAL", "x"], "stderr": ["panic:"]},
        ),
    ],
)
def test_any_of_the_rules_ends_a_trial(texts, dead_s, kills, printed):
    found = watched(rules(*texts))
    assert (found.dead_s, found.oom_kills, found.printed) == (dead_s, kills, printed)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("load.error_ratio > 50%", "under healthy or guards"),
        ("workload.exit_code == 3", "under healthy or guards"),
        ("not workload.alive", "workload.dead for 2s"),
        ("not workload.dead for 3s", "say workload.dead for 2s"),
        ("not stdout matches 'ok'", "under healthy"),
        ("cgroup.oom_kills.gained > 0", r"leave out \.gained"),
        ("cgroup.oom_kills == 1", "cgroup.oom_kills > 0"),
        ("cgroup.oom_kills < 1", "cgroup.oom_kills > 0"),
        ("cgroup.oom_kills >= 0", "cgroup.oom_kills > 0"),
        ("cgroup.oom_kills > host.oom_kills", "cgroup.oom_kills > 0"),
    ],
)
def test_what_no_host_watches_is_refused_with_what_to_write(text, hint):
    with pytest.raises(ValidationError, match=hint):
        rules("workload.dead for 2s", text)
