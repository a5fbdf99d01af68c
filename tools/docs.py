"""The documentation as a site: a hook of mkdocs, and the check of what it wrote.

`make docs` runs mkdocs with this file as its hook, `runner site` into the same folder, and then
`python -m tools.docs build/docs`, which follows every link and anchor of every page.

Pages of docs/ are read in the repository too, so their links lead to files. Those that leave docs/
are mapped here: a report of a recorded run to that run's page, a Markdown file to a page made from
it, any other file to a copy of it.
"""

from __future__ import annotations

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[1]
RUNS: Final = "runs"
"""Where `runner site` writes, inside the site."""
LINK: Final = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def place(path: Path) -> str:
    """Give where a file outside docs/ (by its path in the repository) stands in the site."""
    parts = path.parts
    if path == Path("reports/CLAIMS.md"):
        return f"{RUNS}/CLAIMS.html"
    if parts[0] == "reports" and path.suffix == ".md":
        return f"{RUNS}/{Path(*parts[1:]).with_suffix('.html').as_posix()}"
    return f"repository/{path.as_posix()}"


def outside(page: Path) -> dict[str, Path]:
    """Give the links of a page that leave docs/: as written, with the file in the repository."""
    found = {}
    for _, target, _ in LINK.findall(_prose(page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target).resolve()
        if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "docs"):
            found[target] = path.relative_to(ROOT)
    return found


def _prose(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to and what lies outside docs/."""
    from mkdocs.structure.files import File

    for page in sorted((ROOT / "docs").glob("**/*.md")):
        for path in outside(page).values():
            where = place(path)
            if where.startswith(f"{RUNS}/") or files.get_file_from_path(where) is not None:
                continue
            files.append(File.generated(config, where, content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
    """Lead every link to where its file stands in the site."""
    uri = Path(page.file.src_uri)
    inside = not uri.is_relative_to("repository")
    own = Path("docs") / uri if inside else uri.relative_to("repository")

    def led(found: re.Match[str]) -> str:
        before, target, after = found.groups()
        if re.match(r"[a-z]+:", target):
            return found.group()
        path = (ROOT / own.parent / target).resolve()
        if path == ROOT / "docs" / "design":
            path /= "001-contracts.md"
        if not path.is_relative_to(ROOT):
            return found.group()
        where = _site_path(path.relative_to(ROOT))
        known = where.startswith(f"{RUNS}/") or files.get_file_from_path(where) is not None
        if not inside and not known:
            return f"{before}#)"  # of a file from outside docs/, to one that is not in the site
        return f"{before}{os.path.relpath(where, uri.parent)}{after}"

    return LINK.sub(led, markdown)


def _site_path(path: Path) -> str:
    return path.relative_to("docs").as_posix() if path.is_relative_to("docs") else place(path)


class Links(HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep `href`, `src`, `id` and `name`."""
        for name, value in attrs:
            if value and name in {"href", "src"} and tag != "base":
                self.links.append(value)
            elif value and (name == "id" or (tag == "a" and name == "name")):
                self.anchors.add(value)


def broken(site: Path) -> list[str]:
    """Give `page: link` for every link of a page of the site that leads nowhere in it."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        pages[path] = Links()
        pages[path].feed(path.read_text("utf-8"))
    wrong = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.exists() or (
                anchor and target in pages and anchor not in pages[target].anchors
            ):
                wrong.append(f"{path.relative_to(site)}: {link}")
    return wrong


def main() -> None:
    """Check the site in the folder that is named."""
    site = Path(sys.argv[1]).resolve()
    wrong = broken(site)
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"{sum(1 for _ in site.rglob('*.html'))} pages, {len(wrong)} links that lead nowhere")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
