"""Runs the code cells of the notebooks in docs/notebooks and keeps what they print beside them.

`python -m tools.notebook` writes the outputs anew; the tests compare them. A notebook is JSON
(nbformat 4.5): its cells are run here one after the other in one namespace, in its folder, as a
kernel would, so that nothing has to be installed for it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "docs" / "notebooks"


def outputs(path: Path) -> list[str]:
    """Give what each code cell of a notebook prints, and the value of its last expression."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = json.loads(path.read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    with contextlib.chdir(path.parent):
        return [_run(source, names) for source in sources]


def kept(path: Path) -> list[str]:
    """Give what the notebook says that its code cells print."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(text for one in cell["outputs"] for text in one["text"])
            for cell in cells if cell["cell_type"] == "code"]  # fmt: skip


def write(path: Path) -> None:
    """Keep the outputs of today in the notebook."""
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, (cell, said) in enumerate(zip(code, outputs(path), strict=True), 1):
        cell["execution_count"] = number
        shown = {"name": "stdout", "output_type": "stream", "text": said.splitlines(keepends=True)}
        cell["outputs"] = [shown] if said else []
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _run(source: str, names: dict[str, Any]) -> str:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - what the notebook is for
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)  # noqa: S307
            if value is not None:
                print(value)
    return said.getvalue()


if __name__ == "__main__":
    for found in sorted(FOLDER.glob("*.ipynb")):
        write(found)
