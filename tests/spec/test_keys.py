"""The table of every key: current, and with an effect for every section."""

from __future__ import annotations

import pytest

from runner.spec.experiment import Experiment
from runner.spec.keys import EFFECTS, keys
from tools.tables import DOCS, PAGES


@pytest.mark.parametrize("page", PAGES)
def test_the_committed_tables_are_those_of_the_code(page):
    """`make docs-tables` mends it."""
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page]()


def test_every_section_says_where_it_takes_effect():
    sections = [field.alias or name for name, field in Experiment.model_fields.items()]
    assert sorted(sections) == sorted(EFFECTS)
    assert {key.path[0] for key in keys()} == set(sections)


def test_paths_are_as_a_user_writes_them():
    written = {str(key) for key in keys()}
    for path in ("load.steps[].duration", "claims[].published.low", "system.sysctl",
                 "workload.limits.as.soft", "metrics.<name>.from", "system.files.<name>.mode"):  # fmt: skip
        assert path in written
