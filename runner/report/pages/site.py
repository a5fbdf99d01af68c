"""reports/ as a static site: an index, a page for each run, claims, and two runs compared.

Pages open from a folder as from a server: their data stands in them, nothing is
fetched. A page whose run has not changed is not written again. What a record says is
escaped by Jinja, and put into pages by their script as text alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runner import resources_path
from runner.errors import RecordError
from runner.report.format import words
from runner.report.pages import site_data as data
from runner.report.pages import site_pages
from runner.report.pages.render import REPORT
from runner.report.pages.site_index import Made, top_pages
from runner.report.pages.site_pages import document, page, write
from runner.report.sections.environment import host as host_kind
from runner.store import analysis_file
from runner.store.experiment import of_record
from runner.store.files import read_json
from runner.store.manifest_file import MANIFEST
from runner.store.record import ARTIFACTS, RunFolder
from runner.store.runs import runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis, Estimate
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment

PAGE: Final = "report.html"
STATE: Final = ".runner-site.json"
FILES: Final = ("spec.yaml", MANIFEST, "facts.json", "changes.jsonl", "artifacts/report.md",
                "artifacts/analysis.json")  # fmt: skip
MOST_COPIED: Final = 2_000_000
"""Bytes of a file of a record that a site takes along; a larger one stays in the record."""


def site(reports: Path, out: Path, *, samples: int = 0) -> list[Path]:
    """Write the site of all runs under `reports` into `out`; give its pages, the index last.

    `samples` newest runs of each experiment get every sampled source of every trial; the
    others have what their report draws. `out` may hold an earlier site: pages of runs that
    have not changed stay as they are. Links in a record are not followed.
    """
    if out.resolve() == reports.resolve():
        raise RecordError(f"{out} holds the reports themselves", fix="name another folder")
    out.mkdir(parents=True, exist_ok=True)
    plots = _assets(out)
    known = _state(out)
    mark = _builder(plots=plots)
    kept: dict[str, dict[str, object]] = {}
    pages: list[Path] = []
    written_runs: list[Made] = []
    paths = runs(reports)
    deep = _newest(paths, samples)
    extra = sorted(path for path in reports.glob("*.md") if not path.is_symlink())
    names = [path.stem for path in extra]
    for path in paths:
        name = path.relative_to(reports).as_posix()
        target = out / path.relative_to(reports)
        stamp = f"{mark} {_stamp(path)} {path in deep} {names}"
        old = known.get(name)
        if old is not None and old["stamp"] == stamp and (target / "index.html").is_file():
            one = Made(**old["made"])
        else:
            written = _run(path, target, plots=plots, samples=path in deep, extra=names)
            if written is None:
                continue
            one = written
        kept[name] = {"stamp": stamp, "made": vars(one)}
        written_runs.append(one)
        pages += [target / "index.html", target / ARTIFACTS / PAGE]
    for source in extra:
        target = out / f"{source.stem}.html"
        write(target, document(source.stem, source.read_text(encoding="utf-8"), home="index.html"))
        pages.append(target)
    pages += top_pages(written_runs, out, plots=plots, extra=names)
    write(out / STATE, json.dumps(kept, ensure_ascii=True))
    return pages


# -- one run -----------------------------------------------------------------------------


def _run(path: Path, target: Path, *, plots: bool, samples: bool, extra: list[str]) -> Made | None:
    """Write the pages of one run; None where it has no report."""
    source = path / ARTIFACTS / REPORT
    stored = path / ARTIFACTS / analysis_file.NAME
    if not source.is_file() or source.is_symlink():
        return None
    folder = RunFolder.open(path)
    analysis = (
        analysis_file.from_data(read_json(stored))
        if stored.is_file() and not stored.is_symlink()
        else analysis_file.from_data({})
    )
    experiment, refused = _experiment(folder)
    title = (experiment.title if experiment else "") or folder.experiment
    facts = folder.facts
    host: str = next(iter(facts), "")
    own: Mapping[str, Json] = facts.get(host) or {}
    files = _copy(path, target)
    more = {"samples": dict(_samples(folder, target))} if samples else {}
    where = f"{host} ({host_kind(own)})" if host else ""
    text = _page(
        folder, analysis, title, more, files, root="../../", plots=plots,
        why=folder.manifest.why or refused, host=where, extra=extra,
    )  # fmt: skip
    write(target / "index.html", text)
    markdown = source.read_text(encoding="utf-8")
    write(
        target / ARTIFACTS / PAGE,
        document(title, markdown, home="../../../index.html", beside=target / ARTIFACTS),
    )
    published = experiment.source if experiment else None
    return Made(
        folder.experiment, title, folder.id, folder.state,
        words.when(folder.manifest.started_at), where, published.title if published else "",
        [data.claim(one) for one in analysis.claims],
        [_short(one) for one in analysis.estimates],
        {name: words.fact(name, own[name]) for name in data.SHOWN_FACTS
         if own.get(name) is not None},
    )  # fmt: skip


def live(folder: RunFolder, experiment: Experiment, analysis: Analysis, stamp: str) -> str:
    """Give the page of a run that goes on; `stamp` names what is in it."""
    own = next(iter(folder.facts.items()), None)
    return _page(
        folder, analysis, experiment.title or folder.experiment, {}, [], root="", extra=[],
        plots="assets/plotly.min.js" in assets(), why=folder.manifest.why,
        host=f"{own[0]} ({host_kind(own[1])})" if own else "", live=stamp,
    )  # fmt: skip


def _page(
    folder: RunFolder,
    analysis: Analysis,
    title: str,
    more: Mapping[str, data.Json],
    files: Sequence[str],
    **values: object,
) -> str:
    """Fill the page of one run; `more` is for its script, `files` of the record are linked."""
    shown = {**data.run_page(folder.id, folder.experiment, title, analysis), **more}
    estimates = [data.estimate(one) for one in analysis.estimates]
    for one in estimates:
        one["dots"] = list(_dots(one["values"]))
    return page(
        "run.html.j2", page="run", title=f"{title} · {folder.id}",
        data=shown, heading=title, experiment=folder.experiment, run=folder.id,
        state=folder.state, started=words.when(folder.manifest.started_at),
        claims=shown["claims"], estimates=estimates,
        figures=sorted(name.rpartition("/")[2] for name in files if name.endswith(".svg")),
        facts=data.facts(folder.facts), changed=_changed(folder), spec=folder.spec_text,
        files=[name for name in files if not name.endswith(".svg")], **values,
    )  # fmt: skip


def _experiment(folder: RunFolder) -> tuple[Experiment | None, str]:
    """Give what was run; None and why, where an older runner wrote what this one refuses."""
    try:
        return of_record(folder), ""
    except RecordError as error:
        return None, error.message


def _short(measured: Estimate) -> dict[str, data.Json]:
    """An estimate without its repetitions, for comparisons and cards."""
    whole = data.estimate(measured)
    return {name: whole[name] for name in ("metric", "where", "step", "n", "value", "low", "high",
                                           "shown", "interval", "factor", "why")}  # fmt: skip


def _dots(values: Any) -> list[float]:
    """Places of repetitions on a line of 120 pixels, the smallest left, the largest right."""
    known = [value for value in values if value is not None]
    if not known:
        return []
    low, span = min(known), max(known) - min(known)
    return [round(4 + 112 * (value - low) / span, 1) if span else 60.0 for value in known]


def _changed(folder: RunFolder) -> list[list[str]]:
    """Values that the run changed, each once: host, what, before, during."""
    rows = dict.fromkeys(
        (change.host, f"{change.id} ({change.treatment})" if change.treatment else change.id,
         words.value(change.before), words.value(change.after))
        for change in folder.changes
        if change.phase != "restore" and change.outcome == "changed"
    )  # fmt: skip
    return [list(row) for row in rows]


def _samples(folder: RunFolder, target: Path) -> list[tuple[str, data.Json]]:
    """Write every sampled source of every trial as a script; give each trial's file."""
    from runner.analysis.judge import reading_of
    from runner.kinds.sources import by_column
    from runner.kinds.units import sampled

    files: list[tuple[str, data.Json]] = []
    hosts = {name: by_column(own) for name, own in folder.facts.items()}
    nobody = by_column({})
    of = _hosts(folder)
    for trial in folder.trials():
        try:
            reading = reading_of(folder, trial)
        except RecordError:
            continue  # its events are not here
        known = hosts.get(of.get(trial, ""), nobody)
        frame = reading.frame
        lines: list[data.Json] = []
        share = max(data.FEWEST_POINTS, data.POINTS // max(1, len(frame.columns)))
        kept = data.places(len(frame.t), share)
        times = data.numbers(frame.t[kept], 5)
        for column, values in frame.columns.items():
            one = sampled(column, 1.0, known)
            name, unit, scale = str(one["name"]), str(one["unit"]), float(one["value"])
            scaled = data.numbers(values[kept] * scale, 5)
            lines.append({"name": name, "unit": unit, "factor": data.factor(unit),
                          "t": [*times], "v": [*scaled]})  # fmt: skip
        file = f"samples/{hashlib.sha256(trial.encode()).hexdigest()[:12]}.js"
        body = json.dumps(lines, ensure_ascii=True, separators=(",", ":"))
        key = json.dumps(trial)
        write(target / file, f"(window.runnerSamples??={{}})[{key}]={body};\n")
        files.append((trial, file))
    return files


def _hosts(folder: RunFolder) -> dict[str, str]:
    """Give the host of each trial that was planned, and of each load, by its id."""
    plans = folder.manifest.trials
    hosts = {part.id: part.host for plan in plans.values() for part in plan.loads}
    return hosts | {name: plan.host for name, plan in plans.items()}


def _copy(source: Path, target: Path) -> list[str]:
    """Take along what readers open: spec, facts, changes, analysis, figures; never events."""
    names = [name for name in FILES if (source / name).is_file()]
    figures = source / ARTIFACTS / "figures"
    if figures.is_dir() and not figures.is_symlink():
        names += [f"{ARTIFACTS}/figures/{path.name}" for path in sorted(figures.glob("*.svg"))]
    kept = []
    for name in names:
        path = source / name
        if path.is_symlink() or path.stat().st_size > MOST_COPIED:
            continue
        copied = target / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
        kept.append(name)
    return kept


# -- what is kept between builds ---------------------------------------------------------


@cache
def assets() -> dict[str, Path]:
    """Give script, style and the plotting library, where it is there (extra `site`), by path."""
    templates = resources_path.templates() / "site"
    paths = {"assets/site.css": templates / "style.css.j2", "assets/site.js": templates / "site.js"}
    spec = importlib.util.find_spec("plotly")
    if spec is not None and spec.origin is not None:
        library = Path(spec.origin).parent / "package_data" / "plotly.min.js"
        if library.is_file():
            paths[f"assets/{library.name}"] = library
    return paths


def _assets(out: Path) -> bool:
    """Write them; give whether the plotting library is among them."""
    (out / "assets").mkdir(parents=True, exist_ok=True)
    for name, source in assets().items():
        there = out / name
        if source.suffix == ".j2" or there.name == "site.js":
            write(there, source.read_text(encoding="utf-8"))
        elif not there.is_file() or there.stat().st_size != source.stat().st_size:
            shutil.copyfile(source, there)
    return "assets/plotly.min.js" in assets()


def _builder(*, plots: bool) -> str:
    """What makes a page beside its record: templates, this package's version, the library."""
    folder = resources_path.templates() / "site"
    digest = hashlib.sha256(str(plots).encode())
    for path in (
        *sorted(folder.iterdir()),
        Path(__file__),
        Path(data.__file__),
        Path(site_pages.__file__),
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _stamp(path: Path) -> str:
    """What changes when a run's page has to be written again."""
    parts = []
    for name in (MANIFEST, f"{ARTIFACTS}/{REPORT}", f"{ARTIFACTS}/{analysis_file.NAME}"):
        try:
            info = os.stat(path / name)  # noqa: PTH116 - as many as there are runs
        except OSError:
            parts.append("-")
        else:
            parts.append(f"{info.st_size}:{info.st_mtime_ns}")
    return " ".join(parts)


def _state(out: Path) -> dict[str, dict[str, Any]]:
    """Read what an earlier build kept; nothing where it cannot be read."""
    try:
        state = json.loads((out / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _newest(paths: list[Path], count: int) -> set[Path]:
    """Give the newest runs of each experiment, so many of each."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(path.parent.name, []).append(path)
    return {path for own in groups.values() for path in own[len(own) - count :]} if count else set()
