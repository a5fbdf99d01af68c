"""Markdown that nothing in a record can break: text is escaped unless it is `Md`.

The templates' environment escapes every value on its way out (`finalize`), so a
quote, a host's fact or a server's output can neither open a tag, end a table's
cell nor become a link. Source: GitHub Flavored Markdown spec 0.29, 2.4, 4.10, 6.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

import tabulate as tabulate_module
from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# characters of no visible shape that reorder or hide what stands around them
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_KEPT = {"\u200d", "\u200c"}  # joiners belong to scripts and emoji
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ACTIVE = re.compile(r"[\\`*\[\]|~$]")
# an underscore inside a word is not emphasis: snake_case stays readable
_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(:)|\b(www)(\.)|@")
# a line that begins like a list, a heading or a rule
_BLOCK = re.compile(r"^(\d*)([-+#](?=\s|$)|#|[-=](?=[-=\s]*$)|[.)](?=\s|$))")


class Md(str):
    """Markdown that is meant as such: not escaped again."""

    __slots__ = ()


def visible(text: object, most: int = 500) -> str:
    """One line, without control or bidirectional characters; cut at `most` characters."""
    line = " ".join(str(text).split())
    line = "".join(
        c if c in _KEPT or unicodedata.category(c) not in _HIDDEN else "\ufffd" for c in line
    )
    return line if len(line) <= most else line[: most - 1] + "…"


def escape(text: object, most: int = 500) -> Md:
    """Plain text as Markdown that shows exactly that text, also in a table's cell."""
    if isinstance(text, Md):
        return text
    escaped = "".join(_ENTITY.get(c, c) for c in visible(text, most))
    escaped = _ACTIVE.sub(lambda m: "\\" + m[0], escaped)
    escaped = _EDGE.sub(r"\\_", escaped)
    # bare addresses would become links of someone else's choosing
    escaped = _LINK.sub(_unlink, escaped)
    return Md(_BLOCK.sub(r"\1\\\2", escaped))


def _unlink(match: re.Match[str]) -> str:
    if match[0] == "@":
        return "&#64;"
    return f"{match[1] or match[3]}" + ("&#58;" if match[2] else "&#46;")


def code(text: object, most: int = 500) -> Md:
    """Text as a code span, whatever backticks or pipes it holds."""
    if isinstance(text, Md):
        return text
    line = visible(text, most)
    if not line:
        return Md("")
    if "|" in line and "\\" in line:
        return escape(line, most)  # a table reads `\\|` in a code span in its own way
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Md(f"{fence}{pad}{line}{pad}{fence}".replace("|", "\\|"))


def code_block(text: str, language: str = "") -> Md:
    """Several lines verbatim; the fence is longer than any run of backticks within."""
    kept = "".join(c for c in text if c.isprintable() or c == "\n")
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", kept)), default=0) + 1)
    return Md(f"{fence}{language}\n{kept}\n{fence}")


def link(text: object, target: str) -> Md:
    """Link to a file of the record; nothing in `target` ends the link."""
    return Md(f"[{escape(text)}]({quote(target, safe='/#.-_~=+,')})")


def web_link(text: object, target: str) -> Md:
    """Link to a page; anything but http(s) is shown as text only."""
    if not re.fullmatch(r"https?://[^\s<>\"'`|()\\]+", target):
        return escape(text)
    return Md(f"[{escape(text)}]({target})")


def image(alt: object, target: str) -> Md:
    """Give an image of the record."""
    return Md(f"![{escape(alt)}]({quote(target, safe='/#.-_~=+,')})")


def join(items: Iterable[object], separator: str = ", ") -> Md:
    """Escape each and join."""
    return Md(separator.join(escape(item) for item in items))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], align: str) -> Md:
    """Give a table; `align` has a letter per column: l, r or c.

    Cells that are not `Md` are escaped; a column that is empty in every row
    stays: the reader sees that nothing was there.
    """
    if len(head) != len(align):
        raise ValueError(f"{len(head)} headers for {len(align)} columns: {', '.join(head)}")
    names = {"l": "left", "r": "right", "c": "center"}
    cells = [[escape(cell) for cell in row] for row in rows]
    # whether wcwidth is installed must not show in the bytes
    tabulate_module.WIDE_CHARS_MODE = False
    return Md(
        tabulate(
            cells,
            headers=[escape(name) for name in head],
            tablefmt="pipe",
            colalign=[names[letter] for letter in align] if cells else None,
            disable_numparse=True,
        )
    )


def finalize(value: object) -> str:
    """Jinja's `finalize`: everything a template prints goes through here."""
    return escape(value)
