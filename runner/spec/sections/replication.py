"""What varies between blocks beside chance: the build's layout, the boot."""

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from runner.spec.base import NUMBER, Model, fault

PADDING: Final = "RUNNER_LAYOUT"
"""Variable of the workload's environment whose length moves its stack."""
Every = Literal["block"] | Annotated[int, Field(ge=1, le=10_000), NUMBER]
"""Each block, or so many blocks together."""


class Replication(Model):
    """Levels of replication, outermost first: a new boot, and inside of it a new layout."""

    boot: Every | None = Field(
        None,
        description="Reboot the servers before each block, or before so many blocks: "
        "`kernel_cmdline` may be a factor then",
    )
    build: Every | None = Field(
        None,
        description="A fresh link order (`-randlayout`, Go 1.23 or later) and size of the "
        "environment for each block, or for so many blocks",
    )

    @property
    def lasts(self) -> int:
        """Blocks that a unit of the outermost level has that is varied."""
        return every(self.boot) or every(self.build) or 1

    @model_validator(mode="after")
    def _nested(self) -> "Replication":
        boot, build = every(self.boot), every(self.build)
        if boot and build and boot % build:
            raise fault(
                "build",
                f"a layout lasts {build} blocks and a boot {boot}: a layout has to lie within "
                "one boot, so the boot's number has to be a multiple of it",
            )
        return self


def every(said: str | int | None) -> int | None:
    """Give how many blocks one boot or layout lasts; None where it is not varied."""
    return 1 if said == "block" else said if isinstance(said, int) else None
