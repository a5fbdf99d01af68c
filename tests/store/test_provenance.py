"""What made a run is read by argv, and what cannot be read has a reason."""

import subprocess

import pytest

from runner.store import provenance


def git(folder, *words):
    subprocess.run(
        ["git", "-C", folder, "-c", "user.name=T", "-c", "user.email=t@example.org", *words],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "r"
    (folder / "experiments").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "experiments/x.yaml").write_text("a: 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_clean_and_dirty(repo):
    """A changed file makes a run dirty and is named; a report does not."""
    clean = provenance.revision(repo / "experiments")
    assert len(clean.commit) == 40
    assert clean.dirty is False
    (repo / "reports").mkdir()
    (repo / "reports/new.md").write_text("x")
    assert provenance.revision(repo / "experiments").dirty is False
    (repo / "experiments/x.yaml").write_text("a: 2\n")
    (repo / "experiments/ß $(touch y).yaml").write_text("")
    dirty = provenance.revision(repo / "experiments")
    assert dirty.dirty is True
    assert dirty.changed == ("experiments/x.yaml", "experiments/ß $(touch y).yaml")


def test_outside_git(tmp_path):
    """No repository is a reason, not an error."""
    found = provenance.revision(tmp_path)
    assert (found.commit, found.dirty) == (None, None)
    assert "not a git repository" in found.why


def test_spec_fixed_before_the_run(repo):
    """Only the very text at HEAD counts as committed."""
    path = repo / "experiments/x.yaml"
    assert provenance.committed(path, "a: 1\n") is True
    assert provenance.committed(path, "a: 2\n") is False
    assert provenance.committed(repo / "experiments/y.yaml", "") is None


def test_description_has_no_machine_path(repo):
    """The record says where in the repository the spec is, never where on the machine."""
    found = provenance.describe(repo / "experiments/x.yaml", "a: 1\n")
    assert found["spec"].path == "experiments/x.yaml"
    assert found["spec"].committed is True
    assert str(repo) not in repr(found)


def test_tool_versions():
    """The first line said, whatever the exit code; nothing said is a reason."""
    found = provenance.tools(
        {
            "sh": ["sh", "-c", "echo; echo tool 1.2 >&2; exit 3"],
            "quiet": ["true"],
            "absent": ["no-such-tool-here", "-v"],
        }
    )
    assert found["sh"].version == "tool 1.2"
    assert found["quiet"].version is None
    assert found["quiet"].why == "it printed nothing"
    assert found["absent"].version is None
    assert "No such file" in found["absent"].why
    assert found["python"].version
