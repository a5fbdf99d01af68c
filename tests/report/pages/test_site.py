"""reports/ as a site: every page stands alone, every link works, nothing runs."""

from html.parser import HTMLParser

import pytest

from runner.errors import RecordError
from runner.report.pages import site
from tests.report import fixture
from tests.report.pages.recorded import recorded

VOID = {"meta", "img", "br", "hr", "link"}


class Page(HTMLParser):
    """Collects links and images, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.ids, self.tags, self.open = [], set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        found = dict(attrs)
        self.targets += [found[k] for k in ("href", "src") if k in found]
        self.ids |= {found[k] for k in ("id",) if k in found}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_site_of_a_run(tmp_path):
    """An index, a page per run, and every relative link is a file of the site."""
    reports, out = tmp_path / "reports", tmp_path / "site"
    folder, _ = recorded(reports)
    (folder.path / "events/x.jsonl.gz.raw").write_bytes(b"big")
    (reports / "CLAIMS.md").write_text("# Claims\n\n[r](quickstart/x/artifacts/report.md)\n")
    pages = site.site(reports, out)
    assert [p.relative_to(out).as_posix() for p in pages] == [
        f"quickstart/{folder.id}/artifacts/report.html", "CLAIMS.html", "index.html",
    ]  # fmt: skip
    for path in pages:
        page = Page(path.read_text())
        assert page.open == []
        assert "script" not in page.tags
        for target in page.targets:
            if target.startswith("#"):
                assert target[1:] in page.ids
            elif path.name != "CLAIMS.html":
                name = target.partition("#")[0]
                assert (path.parent / name).is_file() or "events" in name, target
    assert 'href="quickstart/x/artifacts/report.html"' in (out / "CLAIMS.html").read_text()
    assert not list(out.rglob("*.raw"))
    assert fixture.SPEC["title"] in (out / "index.html").read_text()
    assert "1 ✗ contradicted" in (out / "index.html").read_text()


def test_same_reports_same_site(tmp_path):
    """Byte for byte."""
    reports = tmp_path / "reports"
    recorded(reports)
    site.site(reports, tmp_path / "a")
    site.site(reports, tmp_path / "b")
    site.site(reports, tmp_path / "a")
    found = [
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (tmp_path / "a", tmp_path / "b")
    ]
    assert found[0] == found[1]


def test_alerts_and_details():
    """What GitHub shows as an alert is one here; folded tables are tables."""
    text = site.body(
        "> [!WARNING]\n> **Emulated**\n\n<details><summary>x</summary>\n\n| a |\n|:--|\n| b |\n\n</details>\n"
    )
    assert '<blockquote class="warning">' in text
    assert "<td" in text


def test_titles_are_escaped(tmp_path):
    """A title is text in the index and on the page."""
    evil = '</title><script>alert("x")</script>'
    assert "<script" not in site.document(evil, "# x", home="index.html")
    entry = site.Entry(evil, evil, evil, evil, evil, evil, evil, "javascript:alert(1)//")
    assert "<script" not in site.index([entry], [evil])


def test_no_reports_is_a_site(tmp_path):
    """An empty folder gives an index that says so."""
    (tmp_path / "reports").mkdir()
    site.site(tmp_path / "reports", tmp_path / "out")
    assert "There is no report yet." in (tmp_path / "out/index.html").read_text()


def test_reports_are_not_overwritten(tmp_path):
    """The record is never the site's own folder."""
    with pytest.raises(RecordError, match="themselves"):
        site.site(tmp_path, tmp_path)
