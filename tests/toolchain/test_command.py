"""Builds by a command, with a real C compiler, and sources at a revision, with a real git."""

import os
import shutil
import subprocess

import pytest

from runner.errors import ToolchainError
from runner.toolchain.command import CommandRequest, build_command
from runner.toolchain.revision import tree, working_tree

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
PROGRAM = '#include <stdio.h>\nint main(void) { puts("%s"); return 0; }\n'


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "exp"
    (place / "src").mkdir(parents=True)
    (place / "src" / "p.c").write_text(PROGRAM % "one")
    return place


def request(folder, *command, **more):
    words = command or ("gcc", "-o", "src/p", "src/p.c")
    return CommandRequest(folder, words, **{"output": "src/p", "sources": ("src",), **more})


@needs_gcc
def test_a_program_is_built_once_for_its_content(folder, tmp_path):
    made = build_command(request(folder, tools=("gcc",)), tmp_path / "cache")
    assert subprocess.check_output([made.path], text=True) == "one\n"
    assert (made.cached, made.toolchain, made.how) == (False, "", "command")
    assert made.tools["gcc"].startswith("gcc ")
    assert made.command == "gcc -o src/p src/p.c"
    assert not (folder / "src" / "p").exists(), "the user's folder is left as it was"
    assert build_command(request(folder, tools=("gcc",)), tmp_path / "cache").cached
    other = build_command(
        request(folder, "gcc", "-O2", "-o", "src/p", "src/p.c"), tmp_path / "cache"
    )
    assert not other.cached
    (folder / "src" / "p.c").write_text(PROGRAM % "two")
    again = build_command(request(folder, tools=("gcc",)), tmp_path / "cache")
    assert (again.cached, subprocess.check_output([again.path], text=True)) == (False, "two\n")
    assert not list((tmp_path / "cache" / "builds").glob(".build-*"))


@needs_gcc
def test_the_spec_says_the_environment_and_nothing_else_does(folder, tmp_path):
    (folder / "src" / "p.c").write_text(
        '#include <stdio.h>\nint main(void) { puts(WORD " " HOME_); return 0; }\n'
    )
    words = ("sh", "-c", 'gcc -DWORD=\\"$WORD\\" -DHOME_=\\"$SECRET_OF_MINE\\" -o src/p src/p.c')
    environ = {**os.environ, "SECRET_OF_MINE": "leaked"}
    made = build_command(
        request(folder, *words, env={"WORD": "said"}), tmp_path / "cache", environ=environ
    )
    assert subprocess.check_output([made.path], text=True) == "said \n"


@pytest.mark.parametrize(
    ("words", "more", "said"),
    [
        (("false",), {}, "ended with exit code 1"),
        (("true",), {}, "made no src/p"),
        (("no-such-compiler",), {}, "could not be started"),
        (("true",), {"tools": ("no-such-tool",)}, "build.tools: no no-such-tool on this machine"),
        (("true",), {"sources": ("nowhere",)}, "build.sources nowhere is not there"),
        (("true",), {"sources": ("../other",)}, "lies outside"),
        (("ln", "-s", "/bin/true", "src/p"), {}, "made no src/p"),
    ],
)
def test_what_goes_wrong_is_named(folder, tmp_path, words, more, said):
    with pytest.raises(ToolchainError, match=said):
        build_command(request(folder, *words, **more), tmp_path / "cache")


@pytest.mark.skipif(shutil.which("aarch64-linux-gnu-gcc") is None, reason="no cross-compiler")
def test_another_architecture_gets_its_compiler(folder, tmp_path):
    words = ("sh", "-c", "$CC -o src/p src/p.c && echo $TARGET")
    made = build_command(request(folder, *words, goarch="arm64"), tmp_path / "cache")
    assert made.machine == "arm64"
    assert made.stderr == "aarch64-linux-gnu"
    assert "aarch64-linux-gnu-gcc" in made.tools


def git(folder, *words):
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def repository(folder):
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "src" / "p.c").write_text(PROGRAM % "two")
    git(folder, "commit", "-q", "-a", "-m", "two")
    return folder


def test_sources_at_a_revision_are_a_clean_tree(repository, tmp_path):
    (repository / "src" / "p.c").write_text("not committed")
    (repository / "src" / "new.c").write_text("not known to git")
    old = tree(repository / "src", "HEAD~1", tmp_path / "cache")
    assert (old.folder / "p.c").read_text() == PROGRAM % "one"
    assert sorted(path.name for path in old.folder.iterdir()) == ["p.c"]
    assert len(old.commit) == 40
    new = tree(repository / "src", "main", tmp_path / "cache")
    assert (new.folder / "p.c").read_text() == PROGRAM % "two"
    status = subprocess.check_output(["git", "status", "--short"], cwd=repository, text=True)
    assert status.splitlines() == [" M src/p.c", "?? src/new.c"], "the user's index is untouched"


def test_revisions_that_are_not_there_are_named(repository, tmp_path):
    with pytest.raises(ToolchainError, match="is not a revision"):
        tree(repository, "nosuch", tmp_path / "cache")
    with pytest.raises(ToolchainError, match="is not a revision"):
        tree(repository, "--output=x", tmp_path / "cache")
    (repository / "later").mkdir()
    with pytest.raises(ToolchainError, match="later/ is not there"):
        tree(repository / "later", "HEAD", tmp_path / "cache")
    (tmp_path / "plain").mkdir()
    with pytest.raises(ToolchainError, match="not in a git repository"):
        tree(tmp_path / "plain", "HEAD", tmp_path / "cache")


def test_the_working_tree_has_a_name_of_its_own(repository, tmp_path):
    clean = working_tree(repository)
    assert len(clean) == 40
    (repository / "src" / "p.c").write_text("changed")
    changed = working_tree(repository)
    assert changed.startswith(f"{clean}+")
    (repository / "new.c").write_text("x")
    assert working_tree(repository) not in {clean, changed}
    assert working_tree(tmp_path) == ""
