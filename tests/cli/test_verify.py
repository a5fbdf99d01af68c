"""`verify`, `claims` and `report --with`: verdicts of recorded runs."""

import gzip
import json
from xml.etree import ElementTree as ET

from tests.cli.command import FIRST, SECOND, SPEC, changed, copied, runner


def test_required_claims_hold_and_the_others_do_not_count():
    done = runner("verify", SPEC)
    assert f"run {SECOND}" in done.stdout
    assert "✓ 1  ✓ reproduced" in done.stdout
    assert "· 3  ✗ contradicted (not required)" in done.stdout
    assert "· 4  – not testable" in done.stdout


def test_a_required_claim_that_does_not_hold_is_1(tmp_path):
    spec = changed(tmp_path, ", required: false", "")
    done = runner("verify", spec, code=1)
    assert "✗ 3  ✗ contradicted" in done.stdout
    assert "changed after the run: claims" in done.stdout


def test_one_spec_of_several_fails_all(tmp_path):
    spec = changed(tmp_path, "{value: 22MiB}", "{value: 220MiB}")
    said = json.loads(runner("verify", SPEC, spec, "--json", code=1).stdout)
    assert [one["holds"] for one in said] == [True, False]
    assert said[1]["claims_changed_after_run"] == ["claims"]
    assert [claim["holds"] for claim in said[1]["claims"]] == [True, False, True, True]


def test_no_run_is_no_verdict(tmp_path):
    done = runner("verify", SPEC, reports=tmp_path, code=1)
    assert "no finished run" in done.stdout


def test_what_is_run_changed_since(tmp_path):
    spec = changed(tmp_path, "time.sleep(0.3)", "time.sleep(0.4)")
    done = runner("verify", spec)
    assert "no longer what was run: workload" in done.stdout
    runner("verify", spec, "--strict", code=1)


def test_a_run_that_did_not_finish_is_passed_over_and_named(tmp_path):
    reports = copied(tmp_path)
    manifest = reports / "sizes" / SECOND / "run.json"
    manifest.write_text(manifest.read_text().replace('"state": "done"', '"state": "failed"'))
    done = runner("verify", SPEC, reports=reports)
    assert f"run {FIRST}" in done.stdout
    assert "1 newer run(s) did not finish" in done.stdout


def test_without_the_events_the_recorded_trials_are_judged(tmp_path):
    reports = copied(tmp_path)
    for file in reports.rglob("*.jsonl.gz"):
        file.unlink()
    whole = json.loads(runner("verify", SPEC, "--json").stdout)
    bare = json.loads(runner("verify", SPEC, "--json", reports=reports).stdout)
    assert [c["verdict"] for c in bare[0]["claims"]] == [c["verdict"] for c in whole[0]["claims"]]
    assert bare[0]["claims"][1]["values"] == whole[0]["claims"][1]["values"]


def test_a_damaged_record_is_an_error_and_no_verdict(tmp_path):
    reports = copied(tmp_path)
    file = next((reports / "sizes" / SECOND / "events").iterdir())
    file.write_bytes(gzip.compress(b'{"event": "a"}\nnot json\n{"event": "b"}\n'))
    done = runner("verify", SPEC, reports=reports, code=None)
    assert done.returncode in {0, 1}  # five of six values may still decide


def test_ledger_lists_every_claim():
    rows = json.loads(runner("claims", SPEC, "--json").stdout)
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0]["section"] == "2"
    assert rows[0]["verdict"] == "reproduced"
    assert rows[1]["n"] == 12
    assert "2 runs of this spec, pooled" in rows[1]["reason"]
    assert rows[0]["report"] == f"sizes/{SECOND}/artifacts/report.md"
    assert rows[3]["reason"] == "nothing to measure"


def test_ledger_as_a_page_is_up_to_date_until_a_claim_changes(tmp_path):
    reports = copied(tmp_path)
    assert runner("claims", SPEC, "--markdown", reports=reports).stdout.endswith("CLAIMS.md\n")
    text = (reports / "CLAIMS.md").read_text()
    assert "4 published statements with 4 verdicts" in text
    assert f"](sizes/{SECOND}/artifacts/report.md)" in text  # its report has no section of it
    assert "contradicted (not required)" in text
    runner("claims", SPEC, "--check", reports=reports)
    spec = changed(tmp_path, "twice the bytes", "double the bytes")
    runner("claims", spec, "--check", reports=reports, code=1)


def on_another_host(reports, run, **facts):
    """A recorded run as if another host had been measured."""
    file = reports / "sizes" / run / "facts.json"
    told = json.loads(file.read_text())
    for host in told.values():
        host.update(facts)
    file.write_text(json.dumps(told))


def test_ledger_takes_the_run_on_the_host_that_a_claim_declares(tmp_path):
    """Not the newest, nor the one with the better verdict: the nearest in its facts."""
    reports = copied(tmp_path)
    on_another_host(reports, FIRST, arch="aarch64", **{"cgroup.version": 2}, emulated=True)
    on_another_host(reports, SECOND, arch="x86_64", **{"cgroup.version": 1}, emulated=False)
    spec = changed(tmp_path, ", quote: ", ", note: [arch], declared: {arch: aarch64}, quote: ")
    rows = json.loads(runner("claims", spec, "--json", reports=reports).stdout)
    assert {row["run"] for row in rows[:3]} == {FIRST}
    assert rows[0]["host"] == "aarch64, cgroup v2, emulated"
    rows = json.loads(runner("claims", SPEC, "--json", reports=reports).stdout)
    assert {row["run"] for row in rows} == {SECOND}  # nothing is declared: the newest


def test_ledger_has_the_newest_of_one_kind_of_host_whatever_it_says(tmp_path):
    reports = copied(tmp_path)
    for run in (FIRST, SECOND):
        on_another_host(reports, run, arch="x86_64")
    rows = json.loads(runner("claims", SPEC, "--json", reports=reports).stdout)
    assert {row["run"] for row in rows} == {SECOND}


def test_page_names_the_runs_and_their_hosts(tmp_path):
    reports = copied(tmp_path)
    on_another_host(reports, FIRST, arch="aarch64", emulated=True)
    on_another_host(reports, SECOND, arch="x86_64", emulated=False)
    spec = changed(tmp_path, 'id: "1",', 'id: "1", must: [arch], declared: {arch: aarch64},')
    runner("claims", spec, "--markdown", reports=reports)
    text = (reports / "CLAIMS.md").read_text()
    for run, said in ((FIRST, "aarch64, cgroup v1, emulated"), (SECOND, "x86_64, cgroup v1")):
        assert f"[{run}](sizes/{run}/artifacts/report.md) ({said}" in text
    assert text.count("**Changed after the run** [") == 2


def test_ledger_goes_on_behind_an_invalid_spec(tmp_path):
    (tmp_path / "a.yaml").write_text("schema: experiment/1\nnope: 1\n")
    changed(tmp_path, "rough", "generous")
    done = runner("claims", tmp_path, code=3)
    assert "nope" in done.stderr
    assert "✓ reproduced" in done.stdout


def test_report_says_that_claims_were_changed_after_the_run(tmp_path):
    reports = copied(tmp_path)
    report = reports / "sizes" / SECOND / "artifacts" / "report.md"
    runner("report", SECOND, reports=reports)
    assert "judged with another version" not in report.read_text()
    spec = changed(tmp_path, "relative: 20%", "relative: 30%")
    runner("report", SECOND, "--with", spec, reports=reports)
    first = report.read_text()
    assert "judged with another version of the spec" in first
    assert "changed: `claims`" in first
    runner("report", SECOND, reports=reports)
    assert report.read_text() == first
    runner("report", SECOND, "--with", SPEC, reports=reports)
    assert "judged with another version" not in report.read_text()


def test_record_holds_the_hashes():
    """Of the recorded spec as it was written then: the language may have grown since."""
    import hashlib

    from runner.spec.expand import CLAIMED, SAID_ONLY, canonical_json
    from runner.store.runs import find
    from tests.cli.command import RUNS

    def hashed(data):
        return hashlib.sha256(canonical_json(data).encode()).hexdigest()

    folder = find(RUNS, SECOND)
    spec = folder.spec
    assert folder.manifest.claims_hash == hashed({key: spec.get(key) for key in CLAIMED})
    run = {key: value for key, value in spec.items() if key not in SAID_ONLY}
    assert folder.manifest.run_hash == hashed(run)


def test_what_is_only_said_changes_no_hash(tmp_path):
    spec = changed(tmp_path, "title: A program", "title: Another program")
    done = runner("verify", spec, "--strict")
    assert "!" not in done.stdout.replace("! the spec was not committed", "")


def test_runs_of_one_spec_are_a_family_and_are_pooled(tmp_path):
    said = json.loads(runner("verify", SPEC, "--json").stdout)[0]
    assert said["runs"] == [SECOND, FIRST]
    assert [claim["n"] for claim in said["claims"][:3]] == [12, 12, 12]
    assert "pooled" in said["claims"][0]["reason"]
    # one that measured something else does not count, and is named
    reports = copied(tmp_path)
    file = reports / "sizes" / FIRST / "spec.expanded.json"
    file.write_text(file.read_text().replace("time.sleep(0.3)", "time.sleep(0.4)"))
    apart = json.loads(runner("verify", SPEC, "--json", reports=reports).stdout)[0]
    assert apart["runs"] == [SECOND]
    assert "1 other finished run(s) measured something else" in " ".join(apart["notes"])


def test_a_margin_widened_after_the_data_fails(tmp_path):
    spec = changed(tmp_path, "{value: 22MiB}", "{value: 22MiB, plus_minus: 9MiB}")
    done = runner("verify", spec, code=1)
    assert "widened after the data were taken" in done.stdout
    said = json.loads(runner("verify", spec, "--json", code=1).stdout)[0]
    assert said["widened_after_run"] == ["2"]
    assert [claim["holds"] for claim in said["claims"]] == [True, False, True, True]
    # narrower is no harm
    narrow = changed(tmp_path, "relative: 20%", "relative: 19%")
    assert "widened after" not in runner("verify", narrow, code=None).stdout


def test_github_annotates_a_claim_at_its_line_and_writes_the_summary(tmp_path):
    spec = changed(tmp_path, ", required: false", "")
    summary = tmp_path / "summary.md"
    done = runner("verify", spec, "--format", "github", code=1, GITHUB_STEP_SUMMARY=summary)
    (line,) = [i for i, text in enumerate(spec.read_text().splitlines(), 1) if 'id: "3"' in text]
    assert f"::error file={spec},line={line},title=3%3A contradicted::" in done.stdout
    assert "1 of 4 failed" in summary.read_text()


def test_junit_has_a_case_for_each_claim(tmp_path):
    tree = ET.fromstring(runner("verify", SPEC, "--format", "junit").stdout)
    assert {case.attrib["name"] for case in tree.iter("testcase")} == {"1", "2", "3", "4"}
    assert tree.attrib["failures"] == "0"
