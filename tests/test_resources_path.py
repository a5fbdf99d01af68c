"""Packaged files are found in a checkout and in an installed wheel."""

import pytest

from runner import resources_path
from runner.errors import RunnerError


def test_checkout():
    """Beside the package."""
    assert (resources_path.templates() / "report/report.md.j2").is_file()
    assert (resources_path.experiments() / "quickstart.yaml").is_file()


def test_wheel(tmp_path, monkeypatch):
    """Inside the package, under the names that pyproject.toml gives them."""
    package = tmp_path / "runner"
    (package / "_templates").mkdir(parents=True)
    monkeypatch.setattr(resources_path, "_PACKAGE", package)
    assert resources_path.templates() == package / "_templates"


def test_missing(tmp_path, monkeypatch):
    """A folder that merely has the name is not taken."""
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr(resources_path, "_PACKAGE", tmp_path / "runner")
    with pytest.raises(RunnerError, match="templates/ of this installation is missing"):
        resources_path.templates()
