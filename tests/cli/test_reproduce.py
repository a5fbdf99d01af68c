"""A run as one file, and somebody's run again."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from runner.records.manifest import Manifest
from runner.report.exports.crate import About, Part, hashes, metadata

RUN = {"id": "20260101T000000Z-000000", "experiment": "n", "state": "done", "started_at": 1.0,
       "ended_at": 9.0, "why": "", "trials": {}}  # fmt: skip
VALIDATOR = Path(__file__).parents[2] / ".cache/crate-validator/bin/python"
ASK = """\
import json, sys
from rocrate_validator.models import Severity
from rocrate_validator.services import validate
found = validate({"rocrate_uri": sys.argv[1], "profile_identifier": "process-run-crate",
                  "requirement_severity": Severity.RECOMMENDED, "offline": True})
print(json.dumps([(issue.severity.name, issue.check.name) for issue in found.get_issues()]))
"""
RUNNER = [sys.executable, "-m", "runner"]
SPEC = """\
schema: experiment/1
name: hello
title: two sizes
workload:
  argv: [python3, -c, "import sys,time; x=bytearray(int(sys.argv[1])<<20); time.sleep(.1)", "{mb}"]
  run: once
system: {files: {TARGET: {src: data/x.txt}}}
factors: {mb: ["20", "40"]}
repeat: {between: [5, 5], order: {by: blocks, seed: 1}}
metrics: {rss: {from: workload.max_rss, unit: MiB}}
claims: [{id: c, quote: about fifty, metric: rss, where: {mb: "40"}, published: {value: 50MiB},
          margin: {relative: 20%, why: rounded}}]
"""


def runner(*words, cwd, code=0):
    done = subprocess.run(
        [*RUNNER, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A run, and its bundle."""
    if os.geteuid() != 0:
        pytest.skip("applies state, as root")
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "data").mkdir()
    (folder / "data" / "x.txt").write_text("hi\n")
    (folder / "data" / "unnamed.txt").write_text("not of the experiment\n")
    (folder / "hello.yaml").write_text(SPEC.replace("TARGET", str(folder / "put.txt")))
    state = ["--state-dir", folder / "state"]
    runner("apply", "hello.yaml", *state, cwd=folder)
    name = runner("export", "hello", "--to", "ro-crate", cwd=folder).stdout.strip()
    again = runner("export", "hello", "--to", "ro-crate", "-o", "again.zip", cwd=folder)
    assert again.stdout.strip() == "again.zip"
    assert (folder / "again.zip").read_bytes() == (folder / name).read_bytes()
    return folder, folder / name


def test_a_bundle_holds_spec_sources_and_record_by_hash(theirs):
    _, bundle = theirs
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        graph = json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
    by_id = {entity["@id"]: entity for entity in graph}
    assert {"experiment/hello.yaml", "experiment/data/x.txt", "run/run.json"} <= names
    assert "experiment/data/unnamed.txt" not in names
    assert {part["@id"] for part in by_id["./"]["hasPart"]} == names - {"ro-crate-metadata.json"}
    assert all(len(by_id[n]["sha256"]) == 64 for n in names - {"ro-crate-metadata.json"})
    action = by_id["#run"]
    assert {"@id": "experiment/hello.yaml"} in action["object"]
    assert {"@id": "run/run.json"} in action["result"]
    assert action["instrument"]["@id"] in by_id
    assert by_id["./"]["conformsTo"]["@id"] == "https://w3id.org/ro/wfrun/process/0.5"
    assert by_id["#claim-c"]["creativeWorkStatus"] == "reproduced"


def test_a_bundle_holds_to_its_profile_by_the_field_s_validator(theirs, tmp_path):
    """All that RO-Crate 1.1 and Process Run Crate 0.5 require; what is left out is named.

    The terms are said here as the crate's contexts do, which the validator would load.
    """
    if not VALIDATOR.is_file():
        pytest.skip("no validator of RO-Crates: make .cache/crate-validator")
    _, bundle = theirs
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    file = tmp_path / "ro-crate-metadata.json"
    graph = json.loads(file.read_text())["@graph"]
    terms = {word for entity in graph for word in entity} | {entity["@type"] for entity in graph}
    context = {word: f"http://schema.org/{word}" for word in terms if not word.startswith("@")}
    context |= {
        "File": "http://schema.org/MediaObject",
        "conformsTo": {"@id": "http://purl.org/dc/terms/conformsTo"},
        "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
    }
    file.write_text(json.dumps({"@context": context, "@graph": graph}))
    done = subprocess.run(
        [VALIDATOR, "-c", ASK, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # who ran it is nobody's business unless they say so; runner has no page to name yet
    assert {tuple(issue) for issue in json.loads(done.stdout)} == {
        ("RECOMMENDED", "Application url"),
        ("RECOMMENDED", "SoftwareApplication id"),
        ("RECOMMENDED", "Action agent"),
        ("RECOMMENDED", "Root Data Entity: `author` property"),
        ("RECOMMENDED", "Root Data Entity: `publisher` property"),
    }


def test_names_of_files_and_claims_are_written_as_addresses():
    found = metadata(
        msgspec.convert(RUN, Manifest), About("t", "d"),
        [Part("experiment/my first.yaml", 1, "0" * 64)], [("a b/c", "quote", "reproduced")],
    )  # fmt: skip
    ids = {entity["@id"] for entity in json.loads(found)["@graph"]}
    assert {"experiment/my%20first.yaml", "#claim-a%20b%2Fc"} <= ids
    assert hashes(found) == {"experiment/my first.yaml": "0" * 64}


def test_a_bundle_is_reproduced_elsewhere(theirs, tmp_path):
    _, bundle = theirs
    done = runner("reproduce", bundle, "--state-dir", tmp_path / "state", cwd=tmp_path)
    assert "reproduced: all 2 within 0.05 of theirs" in done.stdout
    assert "claim c: theirs reproduced, ours reproduced" in done.stdout
    (page,) = tmp_path.glob("reports/hello/*/artifacts/reproduction.md")
    text = page.read_text()
    assert text.index("differs beside the numbers") < text.index("## Metrics")
    assert "| `c`" in text


def test_a_run_is_reproduced_where_its_spec_is_as_it_was(theirs, tmp_path):
    folder, _ = theirs
    (run,) = (folder / "reports" / "hello").iterdir()
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    spec = copy / "hello.yaml"
    spec.write_text(spec.read_text() + "# changed\n")
    done = runner("reproduce", copy / "reports" / "hello" / run.name, cwd=copy, code=2)
    assert "is not here as it was run: hello.yaml" in done.stderr
    (copy / "reports" / "hello" / run.name / "spec.yaml").write_text(spec.read_text())
    done = runner("reproduce", "hello", cwd=copy, code=2)
    assert "is not the spec that" in done.stderr


def rewritten(bundle: Path, out: Path, change) -> Path:
    """Copy a zip, entry by entry, as `change(name, data)` gives them."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            for name, data in change(info.filename, old.read(info)):
                new.writestr(name, data)
    return out


LINK = zipfile.ZipInfo("run/link")
LINK.external_attr = 0o120777 << 16


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (("../out.txt", b""), "would be written elsewhere"),
        (("/tmp/out.txt", b""), "would be written elsewhere"),
        (("a\\..\\b", b""), "would be written elsewhere"),
        (("run/extra.txt", b""), "does not name run/extra.txt"),
        ((LINK, b"/etc/passwd"), "is not a plain file"),
        (("run/run.json", b"{}"), "a name stands in it twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_bundle_is_refused(theirs, tmp_path, extra, said):
    _, bundle = theirs

    def change(name, data):
        yield name, data
        if name == "ro-crate-metadata.json":
            yield extra

    evil = rewritten(bundle, tmp_path / "evil.zip", change)
    done = runner("reproduce", evil, "--check", cwd=tmp_path, code=2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.zip"]


def test_a_changed_file_is_named(theirs, tmp_path):
    _, bundle = theirs
    evil = rewritten(
        bundle, tmp_path / "evil.zip",
        lambda name, data: [(name, data + b" " if name == "experiment/data/x.txt" else data)],
    )  # fmt: skip
    done = runner("reproduce", evil, cwd=tmp_path, code=2)
    assert "experiment/data/x.txt is not the file that its metadata names" in done.stderr


@pytest.mark.parametrize("damage", [b"", b"PK", b"not a zip at all"])
def test_what_is_not_a_bundle_is_an_error(tmp_path, damage):
    (tmp_path / "x.zip").write_bytes(damage)
    done = runner("reproduce", "x.zip", cwd=tmp_path, code=2)
    assert "cannot be used" in done.stderr
    assert "runner export RUN --to ro-crate" in done.stderr
