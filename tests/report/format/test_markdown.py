"""Nothing in a record can break the page: checked against a real Markdown parser."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runner.report.format import markdown
from runner.report.format.markdown import Md
from tests.report.hostile import HOSTILE, inline

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shown(children):
    """Text as a reader sees it."""
    return "".join(c.content for c in children if c.type in {"text", "code_inline", "text_special"})


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text(text):
    """An escaped text is one paragraph of exactly that text."""
    tokens = PARSER.parse(f"x {markdown.escape(text)} y")
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = inline(tokens)
    assert {c.type for c in children} <= {"text", "text_special"}
    assert shown(children) == f"x {markdown.visible(text)} y".replace("  ", " ") or not text


@pytest.mark.parametrize("text", HOSTILE)
def test_text_begins_no_block(text):
    """Also at a line's start it is not a list, heading, quote, rule or table."""
    tokens = PARSER.parse(str(markdown.escape(text)))
    assert {t.type for t in tokens} <= {"paragraph_open", "inline", "paragraph_close"}


@given(st.text() | st.sampled_from(HOSTILE), st.text() | st.sampled_from(HOSTILE))
def test_cells_hold_their_text(first, second):
    """A table of any two texts, plain and as code, has two columns and shows them."""
    made = markdown.table(["a|b", "c"], [[first, markdown.code(second)], ["x", "y"]], "lr")
    tokens = PARSER.parse(str(made))
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"
    cells = [t for t in tokens if t.type == "inline"]
    assert len(cells) == 6
    assert [shown(c.children) for c in cells] == [
        "a|b", "c", markdown.visible(first), markdown.visible(second).strip(), "x", "y",
    ]  # fmt: skip
    kinds = {child.type for cell in cells for child in cell.children}
    assert kinds <= {"text", "text_special", "code_inline"}


@given(st.text(min_size=1))
def test_links_end_where_they_should(text):
    """A hostile file name is one link with that name."""
    tokens = PARSER.parse(f"a {markdown.link(text, f'../events/{text}.gz')} b")
    kinds = [c.type for c in inline(tokens)]
    assert kinds.count("link_open") == kinds.count("link_close") == 1
    assert "html_inline" not in kinds
    assert "image" not in kinds


def test_only_web_addresses_are_links():
    """A source's address is a link when it is one, else text."""
    assert markdown.web_link("a", "https://example.org/x?y=1") == "[a](https://example.org/x?y=1)"
    for bad in ("javascript:alert(1)", "https://x/) ![y](z", "data:text/html,x", "", "file:///x"):
        assert markdown.web_link("a", bad) == "a"


def test_long_text_is_cut():
    """A megabyte in a cell is not a table."""
    assert len(markdown.escape("x" * 10**6)) == 500


def test_markdown_is_not_escaped_twice():
    """What is meant as Markdown passes; joining escapes the rest."""
    assert markdown.escape(Md("**b**")) == "**b**"
    assert markdown.join([Md("`a`"), "*"]) == "`a`, \\*"
    assert unescape(markdown.finalize("<")) == "<"


def test_code_block_cannot_be_closed_from_within():
    """The fence is longer than any in the text."""
    made = markdown.code_block("a\n````\n<b>\x1b", "sh")
    tokens = PARSER.parse(str(made))
    assert [t.type for t in tokens] == ["fence"]
    assert tokens[0].content == "a\n````\n<b>\n"


def test_table_without_rows():
    """A head alone is still a table."""
    assert PARSER.parse(str(markdown.table(["a", "b"], [], "ll")))[0].type == "table_open"


def test_a_table_has_a_header_for_each_column():
    with pytest.raises(ValueError, match="2 headers for 1 columns: a, b"):
        markdown.table(["a", "b"], [["x"]], "l")
