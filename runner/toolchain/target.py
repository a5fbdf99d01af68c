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


def target_of(machine: str, system: str = "linux") -> Target:
    """Return the Go target of `uname -m`; 32-bit Arm also gets its GOARM."""
    found = _MACHINES.get(machine.strip().lower())
    if found is None:
        raise ToolchainError(
            f"no Go architecture is known for machine {machine!r}",
            fix="say build.env.GOARCH in the spec; known: " + ", ".join(_MACHINES),
        )
    return Target(goos=system.lower(), goarch=found[0], env=dict(found[1]))
