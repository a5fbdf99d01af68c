"""services: systemd units that have to run, or must not, for the experiment.

Only the running state is touched, never whether a unit starts at boot. A unit
that failed is as good as stopped.
"""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from runner.kinds.resources._groups import has_systemd
from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Frozen,
    Json,
    Planned,
    Skipped,
    Unknown,
    Values,
)

_SUFFIXES = (".service", ".socket", ".timer", ".target", ".path", ".mount", ".slice", ".swap")


def _unit(text: str) -> str:
    if not text or text.startswith("-") or any(c.isspace() or c == "/" for c in text):
        raise ValueError(f"`{text}` is not a name of a unit, such as lightdm or apt-daily.timer")
    return text if text.endswith(_SUFFIXES) else f"{text}.service"


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Units = Annotated[
    tuple[Annotated[str, AfterValidator(_unit)], ...],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
]


class ServicesModel(Frozen):
    """`services: {stopped: [lightdm], started: [chrony]}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stopped: Units = Field((), description="units that are not to run")
    started: Units = Field((), description="units that are to run")

    @model_validator(mode="after")
    def _one_state(self) -> "ServicesModel":
        both = sorted(set(self.stopped) & set(self.started))
        if both:
            raise ValueError(f"both stopped and started: {', '.join(both)}")
        return self


class Services:
    """Running state of units."""

    name = "services"
    doc = "systemd units: `{stopped: [lightdm], started: [chrony]}`; what starts at boot is left"
    absent = "skipped without systemd; a unit that is not there counts as stopped"
    fixed = ""
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = ServicesModel

    def _cells(self, payload: ServicesModel) -> list[Cell]:
        wanted = dict.fromkeys(payload.stopped) | dict.fromkeys(payload.started, "active")
        return [
            Cell(
                id=f"services:{unit}",
                via="argv",
                name=unit,
                read=("systemctl", "show", "-p", "ActiveState", "--value", unit),
                parse="^(active)$",  # failed, inactive and not there are all null
                write={
                    "active": ["systemctl", "start", unit],
                    "null": ["systemctl", "stop", unit],
                },
                want=want,
            )
            for unit, want in wanted.items()
        ]

    def candidates(self, payload: ServicesModel) -> list[Json]:
        """Ask for every unit; without systemd nothing answers."""
        return [cell.asking().to_json() for cell in self._cells(payload)]

    def plan(self, payload: ServicesModel, facts: Facts, values: Values) -> Planned:  # noqa: ARG002 - systemctl says all
        """One cell a unit."""
        running = has_systemd(facts)
        if running is None:
            return Unknown("systemd")
        if not running:
            return Skipped("the host does not run systemd")
        return self._cells(payload)


KIND = Services()
