"""The page of publications says what specs and records say."""

import pytest

from runner.specfile import load_document
from tools.published import PAGE, ROOT, page, publications

FOLDERS = sorted(path for path in (ROOT / "experiments" / "published").iterdir() if path.is_dir())
ARTICLE = ROOT / "experiments/published/go-under-32mb"
"""It came as a text without an address; tests/test_article.py holds its claims."""


@pytest.fixture(scope="module")
def found():
    return publications()


def test_the_page_is_what_is_generated(found):
    assert PAGE.read_text(encoding="utf-8") == page(found), "run: make docs-published"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_each_publication_has_sentence_address_date_claims_margins_and_a_page(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "\n> " in text
    for spec in folder.glob("*.yaml"):
        if spec.name == "claims-of-the-article.yaml":
            continue
        experiment = load_document(spec).experiment
        assert spec.name in text
        source = experiment.source
        if folder == ARTICLE and source is None:
            assert not experiment.claims  # a question of ours beside it
            continue
        assert source is not None
        assert source.url or folder == ARTICLE
        assert source.read_on
        assert str(source.read_on) in text
        assert experiment.claims or experiment.lint.only
        for claim in experiment.claims:
            assert claim.quote
            assert claim.expect or claim.margin or folder == ARTICLE


def test_every_source_has_its_folder_and_one_row_of_the_page(found):
    assert [one.folder for one in found] == FOLDERS
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "/README.md)" in line]
    assert len(rows) == len(FOLDERS)


def test_margins_were_committed_before_the_run(found):
    """A publication without a recorded run says so, and has no verdict that rests on one."""
    judged = [
        (one, claim, entry)
        for one in found
        if one.folder != ARTICLE  # the ledger says of each claim of it what changed later
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
