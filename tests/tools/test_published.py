"""The page of publications says what specs and records say."""

import pytest

from runner.specfile import load_document
from tools.published import PAGE, ROOT, page, publications

FOLDERS = sorted(path for path in (ROOT / "experiments" / "published").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def found():
    return publications()


def test_the_page_is_what_is_generated(found):
    assert PAGE.read_text(encoding="utf-8") == page(found), "run: make docs-published"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_each_publication_has_sentence_address_date_claims_margins_and_a_page(folder):
    (spec,) = folder.glob("*.yaml")
    experiment = load_document(spec).experiment
    source = experiment.source
    assert source is not None
    assert source.url
    assert source.read_on
    assert experiment.claims
    for claim in experiment.claims:
        assert claim.quote
        assert claim.expect or claim.margin
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "\n> " in text
    assert str(source.read_on) in text
    assert spec.name in text


def test_margins_were_committed_before_the_run(found):
    """A publication without a recorded run says so, and has no verdict that rests on one."""
    judged = [
        (one, claim, entry)
        for one in found
        if one.folder.parent.name == "published"
        for claim, entry in one.rows
    ]
    assert any(entry.folder for _, _, entry in judged)
    for one, claim, entry in judged:
        if entry.folder is None:
            assert claim.verdict == "not measured", one.folder
            continue
        assert entry.folder.manifest.spec.committed is True
        assert not entry.changed
        assert not entry.widened


def test_the_page_has_no_more_than_a_sentence_of_each(found):
    assert all(len(claim.quote) <= 160 for one in found for claim, _ in one.rows)
