"""Treatments beside the baseline, and tables in the order of the spec."""

from runner.analysis.model import Analysis, Estimate, Repetition
from runner.report.figures import choice
from runner.report.sections import baseline, metrics
from runner.spec.experiment import Experiment

SPEC = Experiment.model_validate({
    "factors": {"level": {"0": {}, "2": {}}},
    "baseline": {"level": "0"},
    "metrics": {"cpu": {"from": "workload.user_cpu", "unit": "ms", "better": "lower"}},
})  # fmt: skip


def estimate(level, values):
    repetitions = tuple(Repetition(n) for n, _ in enumerate(values, 1))
    return Estimate(
        "cpu", "ms", {"level": level}, None, tuple(values), len(values),
        sorted(values)[len(values) // 2], None, None, repetitions=repetitions,
    )  # fmt: skip


def analysis(*estimates):
    return Analysis(trials=(), estimates=estimates, claims=(), series=(), search=None)


SLOW = [0.30 + n / 1000 for n in range(8)]
FAST = [0.10 + n / 1000 for n in range(8)]


def test_the_difference_is_a_ratio_with_its_interval_and_a_word():
    table = baseline.table(analysis(estimate("0", SLOW), estimate("2", FAST)), SPEC)
    rows = [line for line in str(table).splitlines() if "level=2" in line]
    (row,) = rows
    assert "✓ better" in row
    assert "304 ms" in row
    assert " … " in row
    assert "level=0" not in str(table), "the baseline stands beside the others, not below itself"


def test_no_baseline_no_table():
    found = analysis(estimate("0", SLOW), estimate("2", FAST))
    assert baseline.table(found, SPEC.model_copy(update={"baseline": {}})) is None


def test_metrics_are_drawn_over_the_factor_where_nobody_asked_for_a_figure():
    files, shown = choice.draw(SPEC, analysis(estimate("0", SLOW), estimate("2", FAST)))
    assert len(shown["asked"]) == 1
    assert "Metrics by level" in str(shown["asked"][0])
    assert any(name.endswith(".svg") for name in files)


def test_a_metric_table_follows_the_order_it_is_given():
    text = str(metrics.table([estimate("0", SLOW), estimate("2", FAST)], SPEC))
    assert text.index("level=0") < text.index("level=2")
