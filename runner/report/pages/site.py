"""reports/ as a static site: the same pages as the Markdown, with an index.

The folders keep their places, so every link of a report works. What the record
says is escaped twice over: in the Markdown, and by Jinja around it.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt
from markupsafe import Markup

from runner import resources_path
from runner.errors import RecordError
from runner.report.format import words
from runner.report.pages.render import REPORT
from runner.store import analysis_file
from runner.store.files import read_json
from runner.store.keeping import RAW
from runner.store.record import ARTIFACTS, RunFolder
from runner.store.runs import runs

if TYPE_CHECKING:
    from pathlib import Path

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

PAGE: Final = "report.html"
_ALERT = re.compile(r"<blockquote>\n<p>\[!(WARNING|CAUTION|IMPORTANT|NOTE|TIP)\]\n")


@dataclass(frozen=True)
class Entry:
    """A run in the index."""

    experiment: str
    title: str
    id: str
    state: str
    started: str
    trials: str
    verdicts: str
    link: str


def site(reports: Path, out: Path) -> list[Path]:
    """Write the site of all runs under `reports` into the folder `out`; give the pages.

    Files that are not in git (`.raw`) are left out. `out` may hold an earlier
    site: its pages are replaced, other files stay.
    """
    if out.resolve() == reports.resolve():
        raise RecordError(f"{out} holds the reports themselves", fix="name another folder")
    pages = []
    entries = []
    for path in runs(reports):
        source = path / ARTIFACTS / REPORT
        if not source.is_file():
            continue
        folder = RunFolder.open(path)
        entry = _entry(folder)
        target = out / path.relative_to(reports)
        _copy(path, target)
        page = target / ARTIFACTS / PAGE
        text = source.read_text(encoding="utf-8")
        _write(page, document(entry.title, text, home="../../../index.html"))
        pages.append(page)
        entries.append(entry)
    extra = sorted(reports.glob("*.md"))
    for source in extra:
        page = out / f"{source.stem}.html"
        _write(page, document(source.stem, source.read_text(encoding="utf-8"), home="index.html"))
        pages.append(page)
    _write(out / "index.html", index(entries, [source.stem for source in extra]))
    return [*pages, out / "index.html"]


def document(title: str, markdown: str, *, home: str) -> str:
    """Give a whole page of a report's Markdown."""
    return _page("page.html.j2", title=title, body=body(markdown), home=home)


def body(markdown: str) -> Markup:
    """Markdown to HTML; links to a report's Markdown lead to its page."""
    text: str = _markdown().render(markdown)
    text = _ALERT.sub(
        lambda m: f'<blockquote class="{m[1].lower()}">\n<p><strong>{m[1].title()}</strong><br>\n',
        text,
    )
    # the Markdown is ours and its values are escaped: see runner.report.format.markdown
    return Markup(text)  # noqa: S704


def index(entries: list[Entry], extra: list[str]) -> str:
    """Give the list of experiments, each with its runs, newest first."""
    groups: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.id, reverse=True):
        groups.setdefault(entry.experiment, []).append(entry)
    return _page("index.html.j2", groups=sorted(groups.items()), extra=extra)


def _entry(folder: RunFolder) -> Entry:
    path = folder.path / ARTIFACTS / analysis_file.NAME
    found: dict[str, Any] = read_json(path) if path.is_file() else {}
    outcomes = Counter(words.outcome(t["outcome"]) for t in found.get("trials", ()))
    verdicts = Counter(words.verdict(c["verdict"]) for c in found.get("claims", ()))
    return Entry(
        experiment=folder.experiment,
        title=str(folder.spec.get("title") or folder.experiment),
        id=folder.id,
        state=folder.state,
        started=words.when(folder.manifest.get("started_at")),
        trials=", ".join(f"{n} {name}" for name, n in outcomes.items()),
        verdicts=", ".join(f"{n} {name}" for name, n in verdicts.items()),
        link=f"{folder.experiment}/{folder.id}/{ARTIFACTS}/{PAGE}",
    )


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix not in {RAW, ".tmp"} and not path.is_symlink():
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


@cache
def _markdown() -> MarkdownIt:
    found = MarkdownIt("commonmark", {"html": True}).enable("table")

    def link_open(self: RendererHTML, tokens: list[Token], at: int, options: Any, env: Any) -> str:
        href = str(tokens[at].attrGet("href") or "")
        if "://" not in href and re.search(r"\.md(#|$)", href):
            tokens[at].attrSet("href", re.sub(r"\.md(#|$)", r".html\1", href))
        rendered: str = self.renderToken(tokens, at, options, env)
        return rendered

    found.add_render_rule("link_open", link_open)
    return found


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


def _page(name: str, **values: Any) -> str:
    return str(_environment().get_template(f"site/{name}").render(values))
