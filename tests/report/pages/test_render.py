"""The report of a record: whole, the same every time, and safe whatever the record says.

`golden/` is the report of `fixture.py`. After a wanted change of the report:
`UPDATE_GOLDEN=1 pytest tests/report`, and read the diff.
"""

import os
from dataclasses import replace
from pathlib import Path

import jinja2
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import BaseModel

from runner.analysis.model import Analysis, RuleResult, Series
from runner.errors import RecordError
from runner.records.changes import CellChange
from runner.records.manifest import Manifest, manifest_of
from runner.report.pages import rebuild, render
from runner.report.pages.render import _environment
from runner.report.sections import changed, environment, repeated, steps, summary, trials
from runner.spec.experiment import Experiment
from runner.spec.health import Rule
from runner.store import analysis_file
from runner.store.keeping import COMMITTED_BYTES, RAW
from runner.store.record import RunFolder
from tests.report import fixture
from tests.report.hostile import HOSTILE, inline
from tests.report.pages.recorded import recorded

GOLDEN = Path(__file__).parent / "golden"
EMPTY = Manifest(id="x", state="failed")


def made(**changes):
    record = {
        "manifest": fixture.manifest(),
        "experiment": fixture.experiment(),
        "facts": fixture.FACTS,
        "changes": fixture.CHANGES,
        "analysis": fixture.analysis(),
    }
    return render.render(**{**record, **changes})


def test_golden_report():
    """The report and its figures, byte for byte."""
    files = made().all_files()
    if os.environ.get("UPDATE_GOLDEN"):
        for name, data in files.items():
            path = GOLDEN / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    found = {
        p.relative_to(GOLDEN).as_posix(): p.read_bytes() for p in GOLDEN.rglob("*") if p.is_file()
    }
    assert files["report.md"].decode() == found["report.md"].decode()
    assert files == found


def test_every_figure_is_shown_and_every_link_leads_somewhere():
    """Images and links of the Markdown are files of the record."""
    report = made()
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(report.markdown)
    images = {str(c.attrGet("src")) for c in inline(tokens) if c.type == "image"}
    assert images == set(report.files)
    links = {str(c.attrGet("href")) for c in inline(tokens) if c.type == "link_open"}
    known = {"../run.json", "../spec.yaml", "analysis.json"}
    known |= {f"../{e['file']}" for e in fixture.MANIFEST["events"].values() if e["committed"]}
    assert {link for link in links if not link.startswith("#")} <= known
    for link in links - known:
        assert f'<a id="{link[1:]}"></a>' in report.markdown


def test_nothing_at_all_is_still_a_report():
    """A run that stopped before anything was read or measured."""
    text = render.render(EMPTY, Experiment(name="x"), {}, [], Analysis()).markdown
    assert "This run failed." in text
    assert "Nothing was measured." in text
    assert "No trial was run." in text
    assert "No facts were recorded" in text


def test_emulated_board_has_a_banner_first():
    """A reader sees it before any number."""
    text = made(facts={"pi": {"emulated": True}, "local": {"emulated": False}}).markdown
    banner = text.index("**Emulated board** (pi)")
    assert banner < text.index("## Result")
    assert "Emulated" not in made().markdown


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"arch": "x86_64", "cgroup.version": 1}, "x86_64, cgroup v1"),
        ({"arch": "aarch64", "board.model": "Raspberry Pi 4 Model B"}, "Raspberry Pi 4 Model B"),
        (
            {"arch": "aarch64", "board.model": "linux,dummy-virt", "emulated": True},
            "aarch64, emulated",
        ),
        ({}, ""),
    ],
)
def test_kind_of_a_host(facts, said):
    """An emulated machine is not called by the name of a board."""
    assert environment.host(facts) == said


def test_interrupted_run_says_so():
    """State and reason stand at the top."""
    text = made(manifest=fixture.manifest(state="interrupted", why="Ctrl-C")).markdown
    assert "This run was interrupted; what is below was recorded before. Ctrl-C" in text


def test_claims_judged_after_a_change_of_the_spec_are_flagged():
    """Margins that git cannot show to be older than the data are called out."""
    spec = {**fixture.MANIFEST["spec"], "committed": False}
    text = made(manifest=fixture.manifest(spec=spec)).markdown
    assert "git does not show that its margins and repetitions were fixed before the data" in text
    judged = fixture.manifest(judged_with={"sha256": "ff" * 32, "changed": ["claims"]})
    assert "margins may have been chosen after the data" in made(manifest=judged).markdown


def test_what_was_not_restored_is_the_first_thing_said():
    """A host left changed is not a footnote."""
    back = fixture.CHANGES[-1]
    change = msgspec.structs.replace(back, outcome="drifted", after="30", why="someone wrote 30")
    text = made(changes=[*fixture.CHANGES[:-1], change]).markdown
    assert "Not restored: `local sysctl:vm.swappiness`" in text.split("## Result")[0]
    assert "changed, drifted (someone wrote 30)" in text
    text = made(changes=[*fixture.CHANGES[:-1], change, back]).markdown
    assert "Not restored" not in text, "`runner restore` has put it back since"


def test_missing_numbers_are_dashes_with_reasons():
    """None is shown as a dash, and why stands below the table; 0 stays 0."""
    trial = fixture.trial("t", 1, 1, 1.0)
    first = trial.steps[0]
    numbers = {**first.numbers, "load.latency_p99": None, "cgroup.peak": None}
    why = {
        "load.latency_p99": "no request was answered",
        "cgroup.peak": "no memory.peak before 5.19",
    }
    trial = replace(trial, steps=(replace(first, numbers=numbers, why=why), *trial.steps[1:]))
    text = made(analysis=Analysis(trials=(trial,))).markdown
    assert "- `load.latency_p99`: no request was answered" in text
    assert "- `cgroup.peak`: no memory.peak before 5.19" in text
    [(_, table)] = steps.tables([trial])
    cells = [cell.strip() for cell in table.splitlines()[2].split("|")]
    assert cells.count("–") == 2
    assert "0" in cells


def test_many_trials_of_one_step_share_a_table():
    """A search of a hundred trials is one table, and its figures are bounded."""
    one = fixture.trial("t", 1, 1, 1.0)
    many = tuple(replace(one, id=f"t-{i}", steps=one.steps[:1]) for i in range(100))
    series = tuple(replace(s, trial=t.id) for t in many for s in fixture.series("t", 1.0))
    report = made(analysis=Analysis(trials=many, series=series))
    assert report.markdown.count("established") == 2  # over all of them, and each
    assert "100 of 100" in report.markdown
    assert sum("memory" in name for name in report.files) == 8
    assert "the samples of 92 more are in their raw events" in report.markdown


def test_repetitions_have_their_medians():
    """Numbers are medians, errors are summed, and an invalid trial is not a repetition."""
    trials = [fixture.trial(f"t-r{i}", i, 1, wobble) for i, wobble in enumerate((1.0, 3.0, 1.2), 1)]
    invalid = replace(fixture.trial("t-r4", 4, 1, 9.0), outcome="invalid")
    table = repeated.summary([*trials, invalid])
    assert table is not None
    last = [cell.strip() for cell in table.splitlines()[-1].split("|")[1:-1]]
    head = [cell.strip() for cell in table.splitlines()[0].split("|")[1:-1]]
    cells = dict(zip(head, last, strict=True))
    one = steps.row(trials[2].steps[2])
    assert cells["req/s"] == one[steps.HEAD.index("req/s")].replace("\u202f", " ")
    assert cells["errors"] == "9 read, 36 timeout"
    assert cells["healthy"] == "✗ 0 of 3"
    assert repeated.summary([trials[0], invalid]) is None


def test_errors_by_kind():
    """Kinds that happened are named; none is 0; not counted is a dash."""
    step = fixture.trial("t", 1, 1, 1.0).steps[2]
    assert steps.errors(step) == "3 read, 12 timeout"
    assert steps.errors(replace(step, numbers={"load.errors.read": 0})) == "0"
    assert steps.errors(replace(step, numbers={})) == "–"


def test_broken_guards_are_listed_once():
    """With the trials they concern; one that could not be judged too."""
    trial = fixture.trial("t", 1, 1, 1.0)
    unknown = RuleResult("board.throttled.gained == none", None, "", "no throttle register")
    many = [replace(trial, id=f"t{i}", guards=(unknown,)) for i in range(2)]
    assert trials.guards(many) == [
        "`board.throttled.gained == none` unguarded: no throttle register in `t0`, `t1`"
    ]


def test_sampler_cost():
    """A share of a core where the duration is known, else CPU time, else nothing."""
    trial = fixture.trial("t", 1, 1, 1.0)
    assert "0.656 % of a core" in trials.sampler([trial])
    bare = replace(trial, sampler={"ticks": 10, "missed": 2, "cpu_s": 0.01})
    assert trials.sampler([bare]) == "10 samples taken, 2 ticks missed, 10.0 ms of CPU time."
    slow = replace(trial, sampler={"ticks": 10, "missed": 2, "hz": 2.0})
    assert trials.sampler([slow]) == "10 samples taken, 2 ticks missed, 2 ticks a second."
    assert trials.sampler([replace(trial, sampler={})]) is None


def test_values_of_cells():
    """Files by size and mode, absence by a word, and what was right already is counted."""
    import base64

    content = base64.b64encode(b"x" * 2048).decode()
    held = {"type": "file", "bytes_b64": content, "mode": 0o644}
    found = changed.table(
        [
            CellChange(host="a", id="file:/etc/x", outcome="changed", after=held),
            CellChange(host="b", id="swap:/swap", outcome="ok"),
        ]
    )
    assert "file, 2.00 KiB, mode 0644" in found["table"]
    assert "changed, kept" in found["table"]
    assert (found["ok"], found["total"]) == (1, 2)


@pytest.mark.parametrize("phase", ["packages", "actions", "reboot"])
def test_what_is_done_before_or_after_converge_has_its_values(phase):
    """Packages, actions and what a new boot takes up are changes of a host like any other."""
    done = CellChange(phase=phase, id="x:y", outcome="changed", before="", after="on")
    (row,) = changed.table([done])["table"].splitlines()[2:]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "`x:y`", "(empty)", "on", "as during", "changed, kept",
    ]  # fmt: skip


def test_a_run_that_was_gone_on_with_shows_what_was_there_before_it():
    """Converged, rebooted, converged again: before is the first value, and not the run's own."""
    one = CellChange(id="s:a", outcome="changed", before="60", after="10")
    again = CellChange(id="s:a", outcome="ok", before="10", after="10")
    back = CellChange(phase="restore", id="s:a", outcome="restored", before="10", after="60")
    (row,) = changed.table([one, again, back])["table"].splitlines()[2:]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "`s:a`", "60", "10", "60", "changed, restored",
    ]  # fmt: skip


def test_facts_are_folded_when_many():
    """Those that decide a comparison are shown, the rest is one click away."""
    facts = {"pi": {**{f"net.dev{i}.mtu": 1500 for i in range(40)}, "board.model": "Pi 4"}}
    found = environment.tables(facts)
    assert "board.model" in found["first"]
    assert "net.dev7.mtu" in found["rest"]


def test_command_is_quoted_for_a_shell():
    """What is to be copied means what was run."""
    text = summary.repeat(
        Manifest(id="i", command=("runner", "apply", "a b.yaml", "-e", "x=$(id)")), Experiment()
    )
    assert "runner apply 'a b.yaml' -e 'x=$(id)'" in text


def test_template_cannot_reach_beyond():
    """Templates are sandboxed, an unknown name is an error."""
    found = _environment()
    with pytest.raises(jinja2.exceptions.SecurityError):
        found.from_string("{{ x.__class__.__mro__ }}").render(x="")
    with pytest.raises(jinja2.exceptions.UndefinedError):
        found.from_string("{{ nothing }}").render()


def poison(data, evil):
    """Put a text in the place of every text."""
    if isinstance(data, dict):
        return {key: poison(value, evil) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(poison(value, evil) for value in data)
    if isinstance(data, BaseModel):
        given = {name: getattr(data, name) for name in type(data).model_fields}
        return data.model_copy(update=poison(given, evil))
    if isinstance(data, CellChange):
        return CellChange(**poison(msgspec.structs.asdict(data), evil))
    if isinstance(data, Rule):
        return replace(data, text=evil)
    return evil if isinstance(data, str) else data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(HOSTILE) | st.text())
def test_hostile_record_stays_text(evil):
    """With every text of a record replaced, the page has the tags of the template only."""
    data = analysis_file.to_data(fixture.analysis())
    data = poison(data, evil)
    for claim in data["claims"]:
        claim["facts"] = [[evil, evil, evil, None]]
    manifest = manifest_of(
        {**poison(fixture.MANIFEST, evil), "events": {}, "schema": "run/1", "state": "done"}
    )
    facts = {evil or "h": {**{evil + str(i): evil for i in range(30)}, "absent": {evil: evil}}}
    report = render.render(
        manifest, poison(fixture.experiment(), evil), facts, poison(fixture.CHANGES, evil),
        analysis_file.from_data(data),
    )  # fmt: skip
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = parser.parse(report.markdown)
    blocks = "".join(t.content for t in tokens if t.type == "html_block")
    for tag in (
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "All other facts",
        "Memory of the other repetitions",
        "What these hosts do not have",
    ):
        blocks = blocks.replace(tag, "")
    assert blocks.strip() == ""
    tags = [c.content for c in inline(tokens) if c.type == "html_inline"]
    assert all(tag == "</a>" or tag.startswith('<a id="claim-') for tag in tags)
    targets = [
        str(c.attrGet("href") or c.attrGet("src"))
        for c in inline(tokens)
        if c.type in {"link_open", "image"}
    ]
    assert all(t.startswith(("#claim-", "../", "figures/", "analysis.json")) for t in targets)
    headings = [t for t in tokens if t.type == "heading_open" and t.tag == "h2"]
    # bytes are drawn over time, and have a section then
    assert len(headings) == 10 + (evil == "B")


# -- with a run folder ------------------------------------------------------------------------


def tree(folder):
    return {
        p.relative_to(folder.path): p.read_bytes() for p in folder.path.rglob("*") if p.is_file()
    }


def test_rebuilt_report_has_the_same_bytes(tmp_path):
    """Offline, from the folder alone, also in another place."""
    folder, path = recorded(tmp_path / "a")
    before = tree(folder)
    assert path.read_text().startswith("# A Go HTTP server")
    rebuild.rebuild(RunFolder.open(folder.path))
    assert tree(folder) == before
    moved = tmp_path / "b"
    folder.path.rename(moved)
    for name in before:
        if name.name == "report.md" or name.suffix == ".svg":
            (moved / name).unlink()
    again = RunFolder.open(moved)
    rebuild.rebuild(again)
    assert tree(again) == before


def test_rebuilding_removes_figures_of_before(tmp_path):
    """A figure that the report no longer shows does not stay."""
    folder, _ = recorded(tmp_path)
    (folder.path / "artifacts/figures/old.svg").write_text("<svg/>")
    rebuild.rebuild(folder)
    assert not (folder.path / "artifacts/figures/old.svg").exists()


def test_run_without_analysis(tmp_path):
    """The message says why there is nothing to rebuild."""
    folder, _ = recorded(tmp_path)
    (folder.path / "artifacts/analysis.json").unlink()
    with pytest.raises(RecordError, match="before the analysis"):
        rebuild.rebuild(folder)


def test_analysis_survives_its_json():
    """Every field comes back; what is not a number becomes null."""
    import numpy as np

    found = fixture.analysis()
    assert analysis_file.from_data(analysis_file.to_data(found)).trials == found.trials
    odd = Series("t", "n", "B", (0.0, np.float64(1.5)), (float("nan"), np.float64(2.0)))
    back = analysis_file.from_data(analysis_file.to_data(Analysis(series=(odd,)))).series[0]
    assert back == Series("t", "n", "B", (0.0, 1.5), (None, 2.0))
    newer = {**analysis_file.to_data(Analysis()), "future": 1}
    assert analysis_file.from_data(newer) == Analysis()
    with pytest.raises(RecordError, match="expected form"):
        analysis_file.from_data({"trials": [{"id": "x"}]})


def test_a_large_run_stays_within_its_size(tmp_path):
    """Two hundred trials of three hours each: the committed files fit in 2 MB."""
    one = fixture.trial("t", 1, 1, 1.0)
    many = tuple(replace(one, id=f"t-{i}") for i in range(200))
    t = tuple(i / 10 for i in range(20_000))
    v = tuple(float((i * 7919) % 2**24) for i in range(20_000))
    series = tuple(Series(trial.id, "procfs.rss", "B", t, v) for trial in many[:20])
    folder, _ = recorded(tmp_path, Analysis(trials=many, series=series))
    sizes = {
        p.name: p.stat().st_size for p in folder.path.rglob("*") if p.is_file() and p.suffix != RAW
    }
    assert sum(sizes.values()) < COMMITTED_BYTES, sizes


def test_broken_rules_have_their_unit():
    """A bare number gets the unit of what the rule names; a said one stays."""
    assert steps.actual(RuleResult("load.latency_p99 <= 500ms", False, "0.6119")) == "612 ms"
    assert steps.actual(RuleResult("procfs.rss.median <= 32MiB", False, "34603008")) == "33.0 MiB"
    assert steps.actual(RuleResult("load.error_ratio <= 0.001", False, "0.25")) == "25 %"
    assert steps.actual(RuleResult("cgroup.oom_kills == 0", False, "3")) == "3"
    assert steps.actual(RuleResult("workload.alive", False, "false")) == "false"
    trial = fixture.trial("t", 1, 1, 1.0)
    assert steps.broken([trial]) == ["`load.latency_p99 <= 500ms`: 612 ms at 100"]


def test_trials_without_load_have_no_columns_of_load():
    """A program that is only started: memory and outcome, nothing that was never asked."""
    trial = fixture.trial("t", 1, 1, 1.0)
    idle = replace(
        trial.steps[0], name="idle", connections=None,
        numbers={"procfs.rss": 2.0**20, "load.connections": None}, why={},
    )  # fmt: skip
    [(_, table)] = steps.tables([replace(trial, steps=(idle,))])
    heads = [cell.strip() for cell in table.splitlines()[0].strip("|").split("|")]
    assert heads == ["step", "RSS", "outcome"]


def test_limits_are_said_in_their_unit():
    """Bytes that a spec's expansion wrote bare, and equal soft and hard limits."""
    limits = {"nofile": 5, "stack": "8MiB", "cpu": {"soft": 90, "hard": "unlimited"}}
    workload = {"argv": ["x"], "cgroup": {"memory.max": "33554432"}, "limits": limits}
    text = summary.paragraph(Experiment.model_validate({"workload": workload, "repeat": 1}))
    assert (
        "`memory.max` 32.0 MiB, `cpu` soft: 1 min 30 s, hard: unlimited, `nofile` 5, `stack` 8.00 MiB"
        in text
    )
    assert "Repeated" not in text


URL = "http://127.0.0.1/"


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ({"steps": {"from": 10, "to": 40, "times": 2}, "measure": "5s"},
         f"Load by `wrk` at `{URL}`: 3 steps of 10, 20, 40 connections, 5s each."),
        ({"generator": "vegeta", "steps": [{"rate": 50}, {"rate": "6000/min"}]},
         f"Load by `vegeta` at `{URL}`: 2 steps of 50, 100 requests per second, 30s each."),
        ({"connections": 7, "steps": [{"duration": "2s"}, {"duration": "1500ms"}]},
         f"Load by `wrk` at `{URL}`: 2 steps of 7, 7 connections."),
        ({"connections": 7, "steps": [{"duration": "2s"}, {}]},
         f"Load by `wrk` at `{URL}`: 2 steps of 7, 7 connections."),
        ({"generator": "h2load", "connections": 7, "urls": [URL + "a", URL + "b"]},
         f"Load by `h2load` at `{URL}a`, `{URL}b`."),
        ({"generator": "none"}, "No load is made."),
    ],
)  # fmt: skip
def test_the_load_is_said_as_it_is_run(load, said):
    """Defaults, ladders and rates as the program has them: a report has no reader of its own."""
    experiment = {"workload": {"argv": ["x"]}, "load": {"url": URL, **load}}
    text = summary.paragraph(Experiment.model_validate(experiment))
    assert text.replace("&#58;", ":") == f"`x`. {said}"


def test_repetitions_of_each_board_are_said():
    found = Experiment.model_validate(
        {"workload": {"argv": ["x"]}, "repeat": {"per_board": [3, 6]}}
    )
    said = "Repeated 3 to 6 times on each board, the unit is one trial."
    assert summary.paragraph(found).endswith(said)
