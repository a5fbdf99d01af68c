"""Where the files that are packaged beside the code live: named here and nowhere else.

In a checkout they are the top-level `templates/` and `experiments/`; in an
installed wheel `runner/_templates` and `runner/_experiments`.
"""

from __future__ import annotations

from pathlib import Path

from runner.errors import RunnerError

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    packed = _PACKAGE / f"_{name}"
    if packed.is_dir():
        return packed
    beside = _PACKAGE.parent / name
    if beside.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return beside
    raise RunnerError(
        f"the folder {name}/ of this installation is missing",
        fix="install runner again, or run it from its repository",
    )


def templates() -> Path:
    """Folder of the Jinja parts of reports and pages."""
    return _folder("templates")


def experiments() -> Path:
    """Folder of the experiments and Go workloads that come with runner."""
    return _folder("experiments")
