"""What a notebook shows below its cells is what they print today."""

import pytest

from tools.notebook import FOLDER, kept, outputs

PAGES = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_notebook_prints_what_it_shows(page, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shown = kept(page)
    assert any(shown)
    assert outputs(page) == shown


def test_there_is_one():
    assert PAGES
