"""What a cell has to say so that it can be read and written: of a program, and of a journal."""

from __future__ import annotations

from . import normal_forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from runner.records.cells import Cell

NEEDED = {
    "pseudo": ("path",), "file": ("path",), "cgroup": ("path",), "swap": ("path",),
    "argv": ("name", "read"), "link": ("name", "attr"),
}  # fmt: skip


def fault_of(cell: Cell) -> Optional[str]:
    """Say what is wrong with a cell's address and form, or None."""
    via = cell.get("via")
    if via not in NEEDED:
        return f"has no way {via!r}, only {', '.join(NEEDED)}"
    missing = [key for key in NEEDED[via] if not cell.get(key)]
    if missing:
        return f"lacks {', '.join(missing)}"
    if "path" in NEEDED[via] and not _absolute(cell["path"]):
        return f"needs an absolute path, not {cell['path']!r}"
    if via == "argv" and not _words(cell["read"]):
        return "needs `read` as a list of words"
    if cell.get("form", "exact") not in normal_forms.FORMS:
        return f"has an unknown form {cell['form']!r}"
    return None


def fault_of_value(cell: Cell, value: object) -> Optional[str]:
    """Say why a value cannot be one of the cell's, or None; absence is a value."""
    if value is None:
        return None
    if cell["via"] == "file":
        return _fault_of_file(value)
    if cell["via"] == "swap":
        return None if isinstance(value, dict) else f"{value!r} is not a swap area"
    if isinstance(value, (str, int, float)):
        return None
    return f"{value!r} is not text"


def _fault_of_file(value: object) -> Optional[str]:
    if not isinstance(value, dict) or value.get("type") not in ("file", "symlink", "dir", "other"):
        return "it does not say what kind of file it is"
    if value["type"] == "file" and not isinstance(value.get("bytes_b64"), str):
        return "it does not say what is in the file"
    if value["type"] == "symlink" and not isinstance(value.get("target"), str):
        return "it does not say where the link leads"
    numbers = [value[key] for key in ("mode", "uid", "gid", "mtime_ns") if key in value]
    if not all(isinstance(one, int) and one >= 0 for one in numbers if one is not None):
        return "its mode, owner or time is not a number"
    if not isinstance(value.get("xattrs") or {}, dict):
        return "its attributes are not a mapping"
    return None


def _absolute(path: object) -> bool:
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        return False
    return ".." not in path.split("/")


def _words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
