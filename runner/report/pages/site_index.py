"""The site's pages over all runs: the index, the published numbers, two runs compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.report.pages.site_pages import page, write

if TYPE_CHECKING:
    from runner.report.pages import site_data as data


@dataclass(frozen=True)
class Made:
    """What the index, the ledger and comparisons need of one run; kept between builds."""

    experiment: str
    title: str
    run: str
    state: str
    started: str
    host: str
    source: str
    claims: list[dict[str, data.Json]]
    estimates: list[dict[str, data.Json]]
    facts: dict[str, data.Json] = field(default_factory=dict)

    @property
    def link(self) -> str:
        """The run's page from the top of the site."""
        return f"{self.experiment}/{self.run}/index.html"


def top_pages(runs: list[Made], out: Path, *, plots: bool, extra: list[str]) -> list[Path]:
    """Write claims, comparison and index; the index last."""
    groups: dict[str, list[Made]] = {}
    for one in sorted(runs, key=lambda one: one.run, reverse=True):
        groups.setdefault(one.experiment, []).append(one)
    cards = [_card(name, own) for name, own in groups.items()]
    rows = [
        {**claim, "experiment": own[0].experiment, "source": own[0].source, "link": own[0].link}
        for own in groups.values()
        for claim in own[0].claims
    ]
    counted: dict[str, int] = {}
    for row in rows:
        counted[str(row["verdict"])] = counted.get(str(row["verdict"]), 0) + 1
    verdicts = sorted(counted.items(), key=lambda item: -item[1])
    common: dict[str, Any] = {"root": "", "plots": False, "data": None, "extra": extra}
    write(out / "claims.html", page("claims.html.j2", **common, page="claims",
           title="Published numbers", rows=rows, verdicts=verdicts,
           sources=sorted({str(row["source"]) for row in rows if row["source"]})))  # fmt: skip
    compared = {
        one.link: {"experiment": one.experiment, "run": one.run, "host": one.host,
                   "estimates": one.estimates, "facts": one.facts}
        for one in runs
    }  # fmt: skip
    body = json.dumps(compared, ensure_ascii=True, separators=(",", ":"))
    write(out / "assets" / "runs.js", f"window.runnerRuns={body};\n")
    write(out / "compare.html", page("compare.html.j2", **{**common, "plots": plots},
           page="compare", title="Compare two runs", scripts=["assets/runs.js"]))  # fmt: skip
    write(out / "index.html", page("index.html.j2", **common, page="index", title="Experiments",
           cards=cards, runs=len(runs), claims=len(rows), verdicts=verdicts))  # fmt: skip
    return [out / "claims.html", out / "compare.html", out / "index.html"]


def _card(name: str, own: list[Made]) -> dict[str, Any]:
    newest = own[0]
    key = next((one for one in newest.estimates if one["value"] is not None), None)
    counted: dict[str, int] = {}
    for claim in newest.claims:
        counted[str(claim["verdict"])] = counted.get(str(claim["verdict"]), 0) + 1
    values: list[float] = []
    if key is not None:
        same = (key["metric"], key["where"], key["step"])
        for run in reversed(own):
            for one in run.estimates:
                value = one["value"]
                if (one["metric"], one["where"], one["step"]) == same and isinstance(value, float):
                    values.append(value)
    return {
        "name": name, "title": newest.title, "runs": len(own), "state": newest.state,
        "started": newest.started, "newest": newest.run, "host": newest.host, "key": key,
        "link": newest.link, "verdicts": list(counted.items()), "total": len(newest.claims),
        "spark": _spark(values), "spark_runs": len(values),
        "text": f"{name} {newest.title} {newest.host} {newest.source}",
        "all": [{"id": one.run, "link": one.link, "state": one.state, "host": one.host}
                for one in own],
    }  # fmt: skip


def _spark(values: list[float]) -> str:
    """Points of a line of 120 by 28 pixels; empty below two values."""
    if len(values) < 2:
        return ""
    low, span = min(values), max(values) - min(values) or 1.0
    across = 112 / (len(values) - 1)
    return " ".join(
        f"{4 + i * across:.1f},{24 - 20 * (value - low) / span:.1f}"
        for i, value in enumerate(values)
    )
