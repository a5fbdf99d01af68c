"""The site's pages from their templates, and a report's Markdown as HTML."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt
from markupsafe import Markup

from runner import resources_path

if TYPE_CHECKING:
    from pathlib import Path

    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

    from runner.report.pages.site_data import Json

KEPT: Final = 50_000
"""Texts that are read once, however many pages they stand on."""
_ALERT = re.compile(r"<blockquote>\n<p>\[!(WARNING|CAUTION|IMPORTANT|NOTE|TIP)\]\n")


def page(name: str, *, data: dict[str, Json] | None, **values: object) -> str:
    """Fill a template; `data` goes into the page for its script."""
    inline = None
    if data is not None:
        # inside a script element nothing is escaped by HTML, and `<` could end it
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        inline = Markup(text.replace("<", "\\u003c"))  # noqa: S704
    return str(_environment().get_template(f"site/{name}").render(data=inline, **values))


def document(title: str, markdown: str, *, home: str, beside: Path | None = None) -> str:
    """Give a whole page of a report's Markdown; `beside` is the folder that it is written to."""
    template = _environment().get_template("site/page.html.j2")
    return str(template.render(title=title, body=body(markdown, beside), home=home))


def body(markdown: str, beside: Path | None = None) -> Markup:
    """Markdown to HTML; links to a report's Markdown lead to its page.

    Where `beside` is given, a link to a file that is not there (events are not copied into a site)
    is its text, with that reason. Headings have the anchors that code hosts give them.
    """
    text: str = _markdown().render(markdown, {"beside": beside})
    text = _ALERT.sub(
        lambda m: f'<blockquote class="{m[1].lower()}">\n<p><strong>{m[1].title()}</strong><br>\n',
        text,
    )
    # the Markdown is ours and its values are escaped: see runner.report.format.markdown
    return Markup(text)  # noqa: S704


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")

    def link_open(self: RendererHTML, tokens: list[Token], at: int, options: Any, env: Any) -> str:
        href = str(tokens[at].attrGet("href") or "")
        if "://" not in href and re.search(r"\.md(#|$)", href):
            tokens[at].attrSet("href", re.sub(r"\.md(#|$)", r".html\1", href))
        elif _missing(href, env.get("beside")):
            tokens[at].attrs = {"title": f"{href}: in the record, not in this site"}
        rendered: str = self.renderToken(tokens, at, options, env)
        return rendered

    def heading_open(
        self: RendererHTML, tokens: list[Token], at: int, options: Any, env: Any
    ) -> str:
        words = "".join(part.content for part in tokens[at + 1].children or ())
        slug = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words.lower()).strip())
        seen = env.setdefault("slugs", {})
        seen[slug] = seen.get(slug, -1) + 1
        tokens[at].attrSet("id", f"{slug}-{seen[slug]}" if seen[slug] else slug)
        rendered: str = self.renderToken(tokens, at, options, env)
        return rendered

    plain: dict[str, list[Token]] = {}

    def inline(state: StateCore) -> None:
        for token in (one for one in state.tokens if one.type == "inline"):
            token.children = plain.get(token.content)
            if token.children is None:
                token.children = []
                state.md.inline.parse(token.content, state.md, state.env, token.children)
                # the cells of tables are of few kinds; what is of several parts is changed later on
                if len(token.children) == 1 and len(plain) < KEPT:
                    plain[token.content] = token.children

    parser.core.ruler.at("inline", inline)
    parser.add_render_rule("link_open", link_open)
    parser.add_render_rule("heading_open", heading_open)
    return parser


def _missing(href: str, beside: Path | None) -> bool:
    path = unquote(href.partition("#")[0])
    return beside is not None and bool(path) and ":" not in path and not (beside / path).exists()


@cache
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader(resources_path.templates(), encoding="utf-8"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def write(path: Path, text: str) -> None:
    """Write a page or a script of the site."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
