"""`runner.load`: runs as tables in Python."""

import numpy as np
import pytest

import runner
from runner.errors import RunnerError


@pytest.fixture(autouse=True)
def _cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_every_table_is_a_frame(reports):
    runs = runner.load(reports)
    assert len(runs) == 2
    counts = {name: len(getattr(runs, name)) for name in
              ("runs", "trials", "steps", "estimates", "claims", "facts", "changes", "samples")}  # fmt: skip
    assert counts == {"runs": 2, "trials": 6, "steps": 6, "estimates": 2, "claims": 2, "facts": 10,
                      "changes": 2, "samples": 6}  # fmt: skip


def test_columns_are_numpy_with_nan_where_a_value_is_absent(reports):
    frame = runner.load(reports).query("select 1.5::double x, null::double y, 'a' z")
    assert frame["x"].dtype == np.float64
    assert np.isnan(frame["y"][0])
    assert frame["z"].dtype == object
    with pytest.raises(KeyError, match="one of x, y, z"):
        frame["nosuch"]


def test_a_frame_is_narrowed(reports):
    frame = runner.load(reports).estimates.where("treatment['gogc'] = '100'")
    assert frame.rows()[0]["values"] == [20.0, 22.0, 21.0]
    assert list(frame["estimate"]) == [21.0]


def test_other_libraries_get_their_own_frames_or_an_error_that_says_how(reports):
    frame = runner.load(reports).claims
    for name, module in (("to_arrow", "pyarrow"), ("to_pandas", "pandas"), ("to_polars", "polars")):
        try:
            __import__(module)
        except ImportError:
            with pytest.raises(RunnerError) as error:
                getattr(frame, name)()
            assert "pip install" in error.value.fix
        else:
            assert len(getattr(frame, name)()) == 2


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RunnerError, match="no folder of runs"):
        runner.load(tmp_path / "nosuch")


def test_a_folder_of_one_experiment_and_one_of_a_run_are_read_too(reports):
    (one,) = {run.parent for run in reports.glob("*/*/")}
    assert len(runner.load(one)) == 2
    assert [len(runner.load(run)) for run in sorted(one.iterdir())] == [1, 1]
