"""What a host is to Go."""

from __future__ import annotations

import pytest

from runner.toolchain import target_of


@pytest.mark.parametrize(
    ("machine", "bits", "goarch"),
    [
        ("aarch64", 32, "arm"),
        ("x86_64", 32, "386"),
        ("aarch64", 64, "arm64"),
        ("armv7l", 32, "arm"),
    ],
)
def test_a_32_bit_system_on_a_64_bit_kernel(machine, bits, goarch):
    """As older Raspberry Pi OS is: its programs have 32 bits."""
    assert target_of(machine, bits=bits).goarch == goarch
