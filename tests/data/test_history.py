"""A metric over runs: change points by chance in at most 5 %, found where they are."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from runner import cli
from runner.data.history import change_points, histories
from runner.errors import SpecError
from runner.report.figures import history as figure
from tests.data.conftest import make_run


@pytest.fixture
def stepped(tmp_path):
    """Twelve runs; from the seventh on a tenth more, and from the tenth on another kernel."""
    root = tmp_path / "reports"
    rng = np.random.default_rng(3)
    for i in range(12):
        base = 100.0 if i < 6 else 110.0
        make_run(root, i, list(base + rng.normal(0, 1, 5)), kernel="6.1" if i < 9 else "6.6")
    return root


def test_a_step_is_found_where_it_is(stepped, tmp_path):
    (series,) = histories("demo", [stepped], tmp_path)
    (change,) = series.changes
    assert series.points[change.at].run.startswith("20261107")
    assert change.ratio == pytest.approx(1.1, abs=0.02)
    assert change.p <= 0.05


def test_what_changed_in_the_environment_stands_at_its_run(stepped, tmp_path):
    (series,) = histories("demo", [stepped], tmp_path)
    said = {point.run[:8]: point.changed for point in series.points if point.changed}
    assert said == {"20261110": ("kernel.release: 6.1 → 6.6",)}


@pytest.mark.parametrize("n", [8, 12, 30])
def test_a_series_without_a_change_shows_one_in_five_per_cent(n):
    rng = np.random.default_rng(n)
    false = sum(bool(change_points(rng.normal(size=n))) for _ in range(200))
    assert false <= 20  # 0.05 of 200 is 10; 20 has a chance below 0.2 %


def test_a_step_of_three_spreads_is_found_in_most_series():
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(100):
        values = np.r_[rng.normal(size=10), rng.normal(3, 1, 10)]
        found += any(abs(at - 10) <= 1 for at, _ in change_points(values))
    assert found >= 90


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0], [5.0] * 20])
def test_short_and_constant_series_have_no_change(values):
    assert change_points(values) == []


def test_the_figure_draws_every_series_and_says_it_in_words(stepped, tmp_path):
    found = histories("demo", [stepped], tmp_path)
    tree = ET.fromstring(figure.draw(found))
    text = " ".join(tree.itertext())
    assert "changes at 20261107T000000Z-000006" in text
    assert "1.1 ×" in text


def test_the_command_exits_1_where_a_change_is_asked_for(stepped, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert (
        cli.main(["history", "demo", "--reports", str(stepped), "--to", "json", "--fail-on-change"])
        == 1
    )
    (series,) = json.loads(capsys.readouterr().out)
    assert len(series["points"]) == 12
    assert cli.main(["history", "demo", "--reports", str(stepped)]) == 0
    assert "1.1 ×" in capsys.readouterr().out


def test_an_unknown_experiment_or_metric_is_an_error(stepped, tmp_path):
    with pytest.raises(SpecError, match="no finished run of nosuch"):
        histories("nosuch", [stepped], tmp_path)
    with pytest.raises(SpecError, match="no metric 'x'"):
        histories("demo", [stepped], tmp_path, metric="x")
    with pytest.raises(SpecError):
        histories("demo'; drop table runs; --", [stepped], tmp_path)
