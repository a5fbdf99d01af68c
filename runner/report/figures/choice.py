"""Which figures a report has, what they are called, and what is left out."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from runner.report.figures import health, load, memory, over_time, points, strip
from runner.report.format import words
from runner.report.format.markdown import Md, image
from runner.report.sections import atlas, searches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.analysis.model import Analysis, Trial

FOLDER: Final = "figures"
MOST: Final = 8
"""Memory figures and load figures each; a run in git has to stay small."""


def draw(spec: Mapping[str, Any], analysis: Analysis) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Draw the figures: files by name, and what the template shows of them."""
    files: dict[str, bytes] = {}

    def add(name: str, alt: str, data: bytes | None) -> Md | None:
        if data is None:
            return None
        path = f"{FOLDER}/{_file_name(name, files)}.svg"
        files[path] = data
        return image(alt, path)

    groups = _by_treatment(analysis.trials)
    steps = [
        add(
            f"load{_suffix(name)}",
            f"Throughput and p99 latency per step{_of(name)}",
            load.draw(trials, _of(name)),
        )
        for name, trials in list(groups.items())[:MOST]
    ]
    lines = [
        add(
            f"memory-{trial.id}",
            f"Memory over time of {trial.id}",
            memory.draw(trial, [s for s in analysis.series if s.trial == trial.id], _label(trial)),
        )
        for trial in chosen(analysis)[:MOST]
    ]
    search = searches.normal(analysis.search)
    shown = {
        "steps": [figure for figure in steps if figure],
        "memory": [figure for figure in lines if figure],
        # one of each treatment comes first and stands open
        "first": max(1, len(groups)),
        "search": add("search", "Share of healthy trials by level", health.draw(search))
        if search
        else None,
        "claims": {
            claim.id: figure
            for claim in analysis.claims
            if (
                figure := add(
                    f"claim-{claim.id}",
                    f"Repetitions of claim {claim.id} beside what was published",
                    strip.draw(claim),
                )
            )
        },
        "atlas": atlas.views(analysis, add),
        "asked": _asked(spec, analysis, add),
        "left_out": sum(bool(trial.steps) for trial in analysis.trials) - sum(map(bool, lines)),
    }
    return files, shown


def _asked(
    spec: Mapping[str, Any], analysis: Analysis, add: Callable[[str, str, bytes | None], Md | None]
) -> list[Md]:
    """Draw what the spec's `report.figures` ask for; one over time for each treatment."""
    found: list[Md | None] = []
    for number, asked in enumerate((spec.get("report") or {}).get("figures") or (), 1):
        over = asked.get("over") or "time"
        title = str(asked.get("title") or f"{', '.join(asked['show'])} over {over}")
        if over != "time":
            data = points.draw({**asked, "over": over}, analysis.estimates)
            found.append(add(f"asked-{number}", title, data))
            continue
        for name, trials in list(_by_treatment(analysis.trials).items())[:MOST]:
            trial = trials[0]
            lines = [s for s in analysis.series if s.trial == trial.id and s.name in asked["show"]]
            drawn = over_time.draw(trial, lines, f"{title}: {_label(trial)}")
            found.append(add(f"asked-{number}{_suffix(name)}", f"{title}{_of(name)}", drawn))
    return [figure for figure in found if figure]


_COUNTED: Final = frozenset({"healthy", "unhealthy"})


def _by_treatment(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    """Trials that count, by treatment; an invalid one is no repetition."""
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.outcome != "invalid" and any(step.outcome in _COUNTED for step in trial.steps):
            found.setdefault(words.treatment(trial.treatment), []).append(trial)
    return found


def chosen(analysis: Analysis) -> list[Trial]:
    """Order the trials whose memory is drawn: the first of each treatment, then the others."""
    drawn = {series.trial for series in analysis.series}
    first = [group[0].id for group in _by_treatment(analysis.trials).values()]
    found = [trial for trial in analysis.trials if trial.id in drawn]
    return sorted(found, key=lambda trial: trial.id not in first)


def _label(trial: Trial) -> str:
    levels = words.treatment(trial.treatment)
    return f"{trial.id} ({levels})" if levels else trial.id


def _of(treatment: str) -> str:
    return f", {treatment}" if treatment else ""


def _suffix(treatment: str) -> str:
    return f"-{treatment}" if treatment else ""


def _file_name(wanted: str, taken: Mapping[str, bytes]) -> str:
    """Make a name that every file system and every link takes; distinct names stay distinct."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip("-.")
    if name != wanted or len(name) > 100 or f"{FOLDER}/{name}.svg" in taken:
        name = f"{name[:80]}-{hashlib.sha256(wanted.encode()).hexdigest()[:6]}"
    return name
