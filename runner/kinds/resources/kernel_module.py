"""kernel_module: modules that are loaded, or are not.

A driver that is built in shows in /sys/module like a loaded one, and counts as
loaded.
"""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from runner.kinds.resources.interface import Cell, Facts, Frozen, Json, Skipped, Values

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]+$"),
    AfterValidator(lambda name: name.replace("-", "_")),
]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[
    tuple[Name, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])
]


class KernelModuleModel(Frozen):
    """`kernel_module: {loaded: [sch_netem], unloaded: [zram]}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loaded: Names = Field((), description="modules that are to be there, or built in")
    unloaded: Names = Field((), description="modules that are not to be there")

    @model_validator(mode="after")
    def _one_state(self) -> "KernelModuleModel":
        both = sorted(set(self.loaded) & set(self.unloaded))
        if both:
            raise ValueError(f"both loaded and unloaded: {', '.join(both)}")
        return self


class KernelModule:
    """Loaded modules."""

    name = "kernel_module"
    doc = "modules: `{loaded: [sch_netem], unloaded: [zram]}`; built in counts as loaded"
    absent = "failed: modprobe says why; skipped for a kernel without modules"
    fixed = ""
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = KernelModuleModel

    def _cells(self, payload: KernelModuleModel) -> list[Cell]:
        there = [(name, True) for name in payload.loaded]
        return [
            Cell(
                id=f"kernel_module:{name}",
                via="argv",
                name=name,
                read=("find", "/sys/module", "-maxdepth", "1", "-name", name),
                parse=f"^(/sys/module/{name})$",
                write={
                    f"/sys/module/{name}": ["modprobe", name],
                    "null": ["modprobe", "-r", name],
                },
                want=f"/sys/module/{name}" if loaded else None,
            )
            for name, loaded in [*there, *((name, False) for name in payload.unloaded)]
        ]

    def candidates(self, payload: KernelModuleModel) -> list[Json]:
        """Ask for every module."""
        return [cell.asking().to_json() for cell in self._cells(payload)]

    def plan(
        self,
        payload: KernelModuleModel,
        facts: Facts,
        values: Values,  # noqa: ARG002 - sysfs says all
    ) -> list[Cell] | Skipped:
        """One cell a module."""
        if facts.get("kernel.modules") is False:
            return Skipped("the kernel has no loadable modules")
        return self._cells(payload)


KIND = KernelModule()
