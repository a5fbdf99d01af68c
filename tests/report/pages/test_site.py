"""reports/ as a site: every link works, what a record says is text, nothing is made twice."""

import contextlib
import json
from html.parser import HTMLParser

import pytest

from runner.errors import RecordError
from runner.kinds.sources import fields
from runner.report.exports.tables import samples
from runner.report.pages import site, site_pages
from tests.report import fixture
from tests.report.pages.recorded import recorded

VOID = {"meta", "img", "br", "hr", "link", "input"}


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
        f"quickstart/{folder.id}/index.html", f"quickstart/{folder.id}/artifacts/report.html",
        "CLAIMS.html", "claims.html", "compare.html", "index.html",
    ]  # fmt: skip
    for path in pages:
        page = Page(path.read_text())
        assert page.open == []
        if path.name == "report.html":
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
    assert "contradicted 1" in (out / "index.html").read_text()


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


def test_a_run_that_has_not_changed_is_not_written_again(tmp_path):
    reports, out = tmp_path / "reports", tmp_path / "site"
    folder, _ = recorded(reports)
    site.site(reports, out)
    page = out / "quickstart" / folder.id / "index.html"
    page.write_text("kept")
    site.site(reports, out)
    assert page.read_text() == "kept"
    (folder.path / "artifacts" / "report.md").write_text("# another\n")
    site.site(reports, out)
    assert page.read_text() != "kept"


def test_every_sampled_source_is_there_where_it_is_asked_for(tmp_path):
    reports = tmp_path / "reports"
    folder, _ = recorded(reports)
    site.site(reports, tmp_path / "bare")
    assert not list((tmp_path / "bare").rglob("samples/*.js"))
    site.site(reports, tmp_path / "deep", samples=1)
    scripts = list((tmp_path / "deep").rglob("samples/*.js"))
    assert len(scripts) == len(folder.trials()) > 0
    assert all("runnerSamples" in path.read_text() for path in scripts)


def test_a_sampled_source_has_the_name_the_unit_and_the_value_that_an_export_gives_it(tmp_path):
    """The host says kB of `VmRSS`; ticks and pages are those of the trial's own host."""
    reports = tmp_path / "reports"
    column = fields({})["procfs.rss"].column
    folder, _ = recorded(reports)
    folder.append_event("s1", {"event": "columns", "names": [column], "t": 0.0})
    folder.append_event("s1", {"event": "sample", "t": 0.5, "v": [2048]})
    folder.append_event("s1", {"event": "end", "ok": True, "t": 1.0})
    folder.close()
    site.site(reports, tmp_path / "deep", samples=1)
    texts = [path.read_text() for path in (tmp_path / "deep").rglob("samples/*.js")]
    (lines,) = (json.loads(t.partition("=")[2].partition("=")[2].rstrip(";\n"))
                for t in texts if '"s1"' in t)  # fmt: skip
    (row,) = samples("s1", "r", folder.iter_events("s1"), {})
    (line,) = (one for one in lines if one["name"] == row["name"])
    assert (row["name"], row["value"]) == ("procfs.rss", 2048 * 1024)
    assert line["unit"] == row["unit"]
    assert line["v"] == [pytest.approx(row["value"], rel=1e-4)], "five digits are drawn"


def test_links_out_of_a_record_are_not_followed(tmp_path):
    reports, secret = tmp_path / "reports", tmp_path / "secret"
    secret.write_text("s3cret")
    folder, _ = recorded(reports)
    figures = folder.path / "artifacts" / "figures"
    figures.mkdir(exist_ok=True)
    (figures / "x.svg").symlink_to(secret)
    (folder.path / "facts.json").unlink()
    (folder.path / "facts.json").symlink_to(secret)
    (reports / "evil.md").symlink_to(secret)
    with contextlib.suppress(RecordError):  # facts.json is read, and is not JSON
        site.site(reports, tmp_path / "out")
    assert not [
        p for p in (tmp_path / "out").rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()
    ]


def test_alerts_and_details():
    """What GitHub shows as an alert is one here; folded tables are tables."""
    text = site_pages.body(
        "> [!WARNING]\n> **Emulated**\n\n<details><summary>x</summary>\n\n| a |\n|:--|\n| b |\n\n</details>\n"
    )
    assert '<blockquote class="warning">' in text
    assert "<td" in text


def test_links_lead_to_what_is_in_the_site_and_headings_have_anchors(tmp_path):
    (tmp_path / "there.svg").write_text("")
    text = site_pages.body(
        "## A: *b* c\n\n## A b c\n\n[e](../events/x.jsonl.gz) [f](there.svg) [g](#a-b-c)\n",
        tmp_path,
    )
    assert '<h2 id="a-b-c">' in text
    assert '<h2 id="a-b-c-1">' in text
    assert 'href="there.svg"' in text
    assert 'href="../events' not in text
    assert "in the record, not in this site" in text


EVIL = '</script></title><img src=x onerror=alert(1)><script>alert("x")</script>'


def test_titles_are_escaped():
    """A title is text on every page, and data of a script cannot end it."""
    assert "<script>alert" not in site_pages.document(EVIL, "# x", home="index.html")
    card = {"name": EVIL, "title": EVIL, "runs": 1, "state": EVIL, "started": EVIL, "newest": EVIL,
            "host": EVIL, "key": None, "link": "javascript:alert(1)//", "verdicts": [(EVIL, 1)],
            "total": 1, "spark": "", "spark_runs": 0, "text": EVIL, "all": []}  # fmt: skip
    page = site_pages.page("index.html.j2", page="index", title=EVIL, root="", plots=False, extra=[EVIL],
                           data={"x": EVIL}, cards=[card], runs=1, claims=1, verdicts=[(EVIL, 1)])  # fmt: skip
    assert "<script>alert" not in page
    assert "<img" not in page
    assert 'href="javascript:' not in page


def test_no_reports_is_a_site(tmp_path):
    """An empty folder gives an index that says so."""
    (tmp_path / "reports").mkdir()
    site.site(tmp_path / "reports", tmp_path / "out")
    assert "There is no report yet." in (tmp_path / "out/index.html").read_text()


def test_reports_are_not_overwritten(tmp_path):
    """The record is never the site's own folder."""
    with pytest.raises(RecordError, match="themselves"):
        site.site(tmp_path, tmp_path)
