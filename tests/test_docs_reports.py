"""Tables of how-to pages that show a committed run are that run's, row by row."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPORT = re.compile(r"\((\.\./\.\./reports/[^)#]+/report\.md)\)")
PAGES = [
    page
    for page in sorted((ROOT / "docs" / "how-to").glob("*.md"))
    if REPORT.search(page.read_text("utf-8"))
]


def rows(text: str) -> list[str]:
    found = [line for line in text.splitlines() if line.startswith("|")]
    return [re.sub(r"\s+", " ", line) for line in found if not re.match(r"\|[:\-|]+$", line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_table_of_a_page_is_its_reports(page):
    text = page.read_text("utf-8")
    reports = [(page.parent / found).resolve().read_text("utf-8") for found in REPORT.findall(text)]
    known = {row for report in reports for row in rows(report)}
    shown = rows(text)
    assert shown
    assert [row for row in shown if row not in known] == []


def test_there_are_such_pages():
    assert len(PAGES) >= 5
