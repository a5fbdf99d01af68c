"""What else happened on the host: the noisiest step of each trial, said, tabled and drawn."""

import xml.etree.ElementTree as ET

from runner.analysis.model import Step, Trial
from runner.report.conduct import noise
from runner.report.figures import noise as figure
from runner.report.format import units


def trial(at, load, others, why=""):
    steps = tuple(
        Step(number, str(number), None, 0.0, 1.0, "healthy",
             numbers={"host.load": one, "host.others": others, "host.steal": None},
             why={"host.steal": why} if why else {})
        for number, one in enumerate(load)
    )  # fmt: skip
    return Trial(f"t{at}", "h", {}, at, 1, "healthy", "", float(-at), steps=steps)


TRIALS = [trial(1, [0.5, 2.0], 0.04), trial(2, [0.5, 0.75], 0.01), trial(3, [1.0], 0.02)]


def test_each_kind_is_of_the_noisiest_step_in_the_order_of_measuring():
    load, others = noise.measured(TRIALS)
    assert (load.name, load.values) == ("host.load", (1.0, 0.75, 2.0))
    assert load.trials == ("t3", "t2", "t1")
    assert load.trials[load.worst] == "t1"
    assert others.values == (0.02, 0.01, 0.04)


def test_the_table_names_the_worst_trial_and_says_why_there_is_no_number():
    text = noise.table([trial(1, [1.0], 0.04, "no such counter"), trial(2, [3.0], 0.01)])
    rows = {line.split("|")[1].strip(): line for line in text.splitlines()}
    assert "`t2`" in rows["`host.load`"]
    assert units.percent(0.04) in rows["`host.others`"]
    assert "`t1`" in rows["`host.others`"]
    assert "no such counter" in rows["`host.steal`"]


def test_nothing_is_shown_where_nothing_was_measured():
    quiet = [Trial("t", "h", {}, 1, 1, "healthy", "", 0.0)]
    assert noise.table(quiet) is None
    assert figure.draw(quiet) is None


def test_the_strip_has_a_bar_for_each_trial_and_kind():
    root = ET.fromstring(figure.draw(TRIALS))
    bars = [one for one in root.iter() if one.tag.endswith("rect") and one.get("class") == "f-c0"]
    assert len(bars) == 6
    heights = sorted(float(bar.get("height")) for bar in bars)
    assert heights[-2:] == [figure.ROW, figure.ROW]
    assert all(figure.LEFT <= float(bar.get("x")) < figure.RIGHT for bar in bars)
