"""Command blocks of README and docs: each is run by a test, or says what it needs.

A block is fenced with `sh`. A comment right above says otherwise than "in a folder of the page's
own, that holds its files with a title": `<!-- needs: a Raspberry Pi -->` (not run here) or
`<!-- in: the repository -->`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = tuple(
    sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
)
BLOCK: Final = re.compile(
    r"(?:^<!-- (?P<word>needs|in): (?P<what>.+?) -->\n)?^```sh\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
FILE: Final = re.compile(
    r'^```\w+ title="(?P<name>[^"]+)"\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    """One block: its place, its commands, what it needs, whether it is run in the repository."""

    page: Path
    line: int
    text: str
    needs: str
    in_repository: bool


def blocks(page: Path) -> list[Block]:
    """Give the command blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start("text")),
            found["text"],
            found["what"] if found["word"] == "needs" else "",
            found["word"] == "in",
        )
        for found in BLOCK.finditer(text)
    ]


def files(page: Path) -> dict[str, str]:
    """Give the files that a page shows with a title: name to text."""
    return {found["name"]: found["text"] for found in FILE.finditer(page.read_text("utf-8"))}


def main() -> None:
    """Print how many blocks are run by tests, and what the others need."""
    found = [block for page in PAGES for block in blocks(page)]
    run = [block for block in found if not block.needs]
    print(f"{len(found)} command blocks: {len(run)} run by tests")
    for block in found:
        if block.needs:
            print(f"  {block.page.relative_to(ROOT)}:{block.line} needs {block.needs}")


if __name__ == "__main__":
    main()
