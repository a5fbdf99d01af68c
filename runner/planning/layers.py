"""State that differs between treatments: a base, and what each treatment lays over it. Pure.

The base is brought about once, before the first trial. A treatment's whole state is
brought about before its trials; the host first puts back what it has journalled for the
treatment before, so that nothing of one is left under another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from runner.kinds.resources.interface import UNSET, Refused
from runner.planning.ids import shown, treatment_id
from runner.planning.state import StatePlan, candidates, plan_state, would_change
from runner.spec.expand import canonical_json
from runner.spec.treatments import placeholders, treatments, with_levels

KERNEL: Final = "kernel_cmdline"
"""The kind of resource that only a boot puts in force."""
_FOR_ALL: Final = (
    "declare it under system, for all, or reboot before each block: "
    "`repeat: {levels: {boot: block}}`"
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.kinds.resources.interface import Cell, Facts, Json, Values
    from runner.planning.state import Change
    from runner.spec.experiment import Experiment


@dataclass(frozen=True)
class Declared:
    """The declared state by kind: that of all treatments, and of each where they differ."""

    base: Mapping[str, object]
    own: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """The whole state of each treatment by its id; empty where none differs from the base."""
    levels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The levels of each of them."""
    boots: bool = False
    """Blocks are booted anew: what only a boot puts in force may differ between treatments."""

    def systems(self) -> list[Mapping[str, Any]]:
        """Give every state that the host is brought to."""
        return [self.base, *self.own.values()]


@dataclass(frozen=True)
class Layer:
    """What is in force during the trials of one treatment."""

    id: str
    levels: Mapping[str, str]
    cells: tuple[Cell, ...]
    """All of its state, the base included, in the order to apply."""
    own: frozenset[str]
    """Ids of the cells that the base does not have so."""

    @property
    def state(self) -> str:
        """Equal for two treatments of equal state."""
        wants = {repr(cell.address): cell.want for cell in self.cells if cell.want is not UNSET}
        return json.dumps(wants, sort_keys=True, default=repr)


def declared_of(experiment: Experiment) -> Declared:
    """Give what an experiment declares: `system`, and as each treatment's levels leave it."""
    base = dict(experiment.system.items())
    own: dict[str, Mapping[str, object]] = {}
    levels: dict[str, Mapping[str, str]] = {}
    for cell in treatments(experiment):
        name = treatment_id(cell)
        own[name], levels[name] = dict(with_levels(experiment, cell).system.items()), cell
    if all(system == base for system in own.values()):
        return Declared(base)
    written = experiment.system.model_dump(mode="json", by_alias=True, exclude_none=True)
    boots = experiment.repeat.levels is not None and experiment.repeat.levels.boot is not None
    for kind in list(base):
        # a kind with a factor's name in it is not a state before the level is known
        unknown = set(placeholders(canonical_json(written[kind]))) & set(experiment.factors)
        # nor is one that takes a boot, where treatments have boots of their own
        booted = kind == KERNEL and any(
            _kernel_text(own[name]) != _kernel_text(base) for name in own
        )
        if unknown or booted:
            del base[kind]
    return Declared(base, own, levels, boots)


def booted_with(declared: Declared, treatment: str) -> str:
    """Give what is declared of a treatment's kernel command line; equal texts need one boot."""
    return _kernel_text(declared.own.get(treatment, declared.base))


def _kernel_text(system: Mapping[str, object]) -> str:
    return repr(system.get(KERNEL))


def kernels_of(declared: Declared, cells: Sequence[Mapping[str, str]]) -> list[int] | None:
    """Number the command lines of treatments, equal ones alike; None where all have one."""
    command_lines = [booted_with(declared, treatment_id(cell)) for cell in cells]
    numbers = {line: at for at, line in enumerate(dict.fromkeys(command_lines))}
    return [numbers[line] for line in command_lines] if len(numbers) > 1 else None


def varies(experiment: Experiment) -> bool:
    """Whether treatments differ in state."""
    return bool(declared_of(experiment).own)


def reads(declared: Declared) -> list[Json]:
    """Cells to read in the probe, one for each id, of every treatment."""
    cells: dict[str, Json] = {}
    for system in declared.systems():
        for cell in candidates(system):
            cells.setdefault(cell["id"], cell)
    return list(cells.values())


def plan_layers(
    declared: Declared, facts: Facts, values: Values
) -> tuple[StatePlan, dict[str, Layer]]:
    """Plan the base, and each treatment's state; what cannot be planned stands in the base.

    What a treatment takes away (`null` over the base's key) is not in the base either:
    it is laid over for the others.
    """
    base = plan_state(declared.base, facts, values)
    if not declared.own:
        return base, {}
    plans = {name: plan_state(system, facts, values) for name, system in declared.own.items()}
    for name, plan in plans.items():
        treatment = f" ({shown(declared.levels[name])})"
        for kind, why in plan.skipped.items():
            base.skipped.setdefault(kind, why)
        for kind, what in plan.unknown.items():
            if kind not in base.unknown:
                base.unknown[kind + treatment] = what
        for kind, refusal in plan.refused.items():
            if kind not in base.refused:
                base.refused[kind + treatment] = refusal
        for cell in plan.cells:
            if cell.reboot and not declared.boots:
                why = f"{cell.id} is in force after a reboot only"
                base.refused[cell.id + treatment] = Refused(why, _FOR_ALL)
        base.needs_root.extend(name for name in plan.needs_root if name not in base.needs_root)
    everywhere = set.intersection(*({c.address for c in plan.cells} for plan in plans.values()))
    base = replace(base, cells=[cell for cell in base.cells if cell.address in everywhere])
    wanted = {cell.address: cell.want for cell in base.cells}
    layers = {
        name: Layer(
            name,
            declared.levels[name],
            tuple(plan.cells),
            frozenset(
                cell.id
                for cell in plan.cells
                if cell.address not in wanted or wanted[cell.address] != cell.want
            ),
        )
        for name, plan in plans.items()
    }
    return base, layers


def would_lay(layer: Layer, base: StatePlan, values: Values) -> list[Change]:
    """Say of every cell of a treatment's own what laying it over the base would do."""
    after = {cell.id: cell.want for cell in base.cells}
    own = [cell for cell in layer.cells if cell.id in layer.own]
    treatment = shown(layer.levels)
    changes = would_change(own, {**values, **{k: v for k, v in after.items() if v is not UNSET}})
    return [replace(change, treatment=treatment) for change in changes]


def groups_of(layers: Mapping[str, Layer], cells: tuple[Mapping[str, str], ...]) -> list[int]:
    """Number the states of treatments, equal ones alike, in the order of the treatments."""
    numbers: dict[str, int] = {}
    return [
        numbers.setdefault(layers[name].state if (name := treatment_id(cell)) in layers else "",
                           len(numbers))
        for cell in cells
    ]  # fmt: skip
