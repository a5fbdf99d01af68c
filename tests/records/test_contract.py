"""The contract's page is what the types say."""

from tools import contract


def test_the_page_is_that_of_the_types():
    assert contract.PAGE.read_text(encoding="utf-8") == contract.page(), "python -m tools.contract"
