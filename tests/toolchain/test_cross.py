"""cgo for another architecture: which C compiler, or what to install."""

import pytest

from runner.errors import ToolchainError
from runner.toolchain.cross import c_compiler

CGO = {"GOOS": "linux", "GOARCH": "arm64", "CGO_ENABLED": "1"}


def on_path(folder, *names):
    for name in names:
        file = folder / name
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    return str(folder)


def test_the_compiler_of_the_target_is_chosen(tmp_path):
    path = on_path(tmp_path, "aarch64-linux-gnu-gcc")
    assert c_compiler(CGO, path, "x86_64") == {"CC": "aarch64-linux-gnu-gcc"}


def test_one_that_is_missing_is_named_with_its_packages(tmp_path):
    with pytest.raises(ToolchainError) as caught:
        c_compiler(CGO, str(tmp_path), "x86_64")
    assert "no aarch64-linux-gnu-gcc here" in caught.value.message
    assert "gcc-aarch64-linux-gnu libc6-dev-arm64-cross" in caught.value.fix
    with pytest.raises(ToolchainError) as caught:
        c_compiler({**CGO, "GOARCH": "amd64"}, str(tmp_path), "aarch64")
    assert "gcc-x86-64-linux-gnu libc6-dev-amd64-cross" in caught.value.fix


@pytest.mark.parametrize(
    ("asked", "machine"),
    [
        (CGO, "aarch64"),
        ({**CGO, "CGO_ENABLED": "0"}, "x86_64"),
        ({k: v for k, v in CGO.items() if k != "CGO_ENABLED"}, "x86_64"),
        ({**CGO, "CC": "clang"}, "x86_64"),
        ({**CGO, "GOOS": "darwin"}, "x86_64"),
    ],
)
def test_otherwise_nothing_is_chosen(tmp_path, asked, machine):
    assert c_compiler(asked, str(tmp_path), machine) == {}
