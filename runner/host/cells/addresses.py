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
    if not isinstance(via, str) or via not in NEEDED:
        return f"has no way {via!r}, only {', '.join(NEEDED)}"
    missing = [key for key in NEEDED[via] if not cell.get(key)]
    if missing:
        return f"lacks {', '.join(missing)}"
    if "path" in NEEDED[via] and not _absolute(cell["path"]):
        return f"needs an absolute path, not {cell['path']!r}"
    if via == "argv" and not _words(cell["read"]):
        return "needs `read` as a list of words"
    return _fault_of_form(cell)


def _fault_of_form(cell: Cell) -> Optional[str]:
    form = cell.get("form", "exact")
    if not isinstance(form, str) or form not in normal_forms.FORMS:
        return f"has an unknown form {form!r}"
    for key in ("name", "attr", "parse"):
        if not isinstance(cell.get(key) or "", str):
            return f"needs `{key}` as a text"
    if not _our_names(cell.get("parts") or []):
        return "needs `parts` as names of new files"
    return None


def fault_of_value(cell: Cell, value: object) -> Optional[str]:
    """Say why a value cannot be one of the cell's, or None; absence is a value."""
    if value is None:
        return None
    if cell["via"] == "file":
        return _fault_of_file(value)
    if cell["via"] == "swap":
        return None if isinstance(value, dict) else f"{value!r} is not a swap area"
    if isinstance(value, str) or is_number(value):
        return None
    return f"{value!r} is not text"


def is_number(value: object) -> bool:
    """Say whether this is a number that everybody can read: neither NaN nor beyond 64 bits."""
    return isinstance(value, (int, float)) and abs(value) < 1 << 63


def _fault_of_file(value: object) -> Optional[str]:
    if not isinstance(value, dict) or value.get("type") not in ("file", "symlink", "dir", "other"):
        return "it does not say what kind of file it is"
    if value["type"] == "file" and not isinstance(value.get("bytes_b64"), str):
        return "it does not say what is in the file"
    if value["type"] == "symlink" and not isinstance(value.get("target"), str):
        return "it does not say where the link leads"
    numbers = [value[key] for key in ("mode", "uid", "gid", "mtime_ns") if key in value]
    if not all(isinstance(n, int) and 0 <= n < 1 << 63 for n in numbers if n is not None):
        return "its mode, owner or time is not a number"
    if not isinstance(value.get("xattrs") or {}, dict):
        return "its attributes are not a mapping"
    return None


def _absolute(path: object) -> bool:
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        return False
    return ".." not in path.split("/")


def _our_names(value: object) -> bool:
    # what they name is removed
    return isinstance(value, (list, tuple)) and all(
        isinstance(name, str) and name.startswith(".runner-") and "/" not in name for name in value
    )


def _words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
