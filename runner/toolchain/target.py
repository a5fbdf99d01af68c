"""What a host's machine name means to Go."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.errors import ToolchainError

_MACHINES: dict[str, tuple[str, dict[str, str]]] = {
    "aarch64": ("arm64", {}),
    "arm64": ("arm64", {}),
    "armv8l": ("arm", {"GOARM": "7"}),
    "armv7l": ("arm", {"GOARM": "7"}),
    "armv6l": ("arm", {"GOARM": "6"}),
    "x86_64": ("amd64", {}),
    "amd64": ("amd64", {}),
    "i686": ("386", {}),
    "i386": ("386", {}),
    "riscv64": ("riscv64", {}),
}


@dataclass(frozen=True)
class Target:
    """What is built for."""

    goos: str
    goarch: str
    env: dict[str, str] = field(default_factory=dict)


_OF_32_BITS = {"aarch64": "armv7l", "arm64": "armv7l", "x86_64": "i686", "amd64": "i686"}
"""What a 64-bit kernel's machine is to a 32-bit system on it, as older Raspberry Pi OS is."""


def target_of(machine: str, system: str = "linux", bits: int = 64) -> Target:
    """Return the Go target of `uname -m`; 32-bit Arm also gets its GOARM.

    `bits` are those of the host's programs, which may be 32 under a kernel of 64.
    """
    name = machine.strip().lower()
    target = _MACHINES.get(_OF_32_BITS.get(name, name) if bits == 32 else name)
    if target is None:
        raise ToolchainError(
            f"no Go architecture is known for machine {machine!r}",
            fix="say build.env.GOARCH in the spec; known: " + ", ".join(_MACHINES),
        )
    return Target(goos=system.lower(), goarch=target[0], env=dict(target[1]))
