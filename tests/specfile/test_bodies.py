"""Bodies from files: read beside the spec, in its record, refused elsewhere."""

from __future__ import annotations

import pytest

from runner.errors import SpecError
from runner.spec.experiment import Experiment
from runner.spec.treatments import treatments, with_levels
from runner.specfile import load

SPEC = """\
schema: experiment/1
name: bodies
workload: {{argv: [server, "{{port}}"], ready: {{tcp: "{{port}}"}}}}
load: {{connections: 1, method: POST, {body}}}
{more}
"""


def spec(tmp_path, body="body_file: item.json", more=""):
    file = tmp_path / "exp.yaml"
    file.write_text(SPEC.format(body=body, more=more))
    return file


def test_its_bytes_are_sent_and_stand_in_the_record(tmp_path):
    (tmp_path / "item.json").write_bytes(b'{"n": 1}\xff')
    experiment = load(spec(tmp_path))
    assert experiment.load.request().body == b'{"n": 1}\xff'
    (tmp_path / "item.json").unlink()
    again = Experiment.model_validate(experiment.model_dump(mode="json", by_alias=True))
    assert again.load.request().body == b'{"n": 1}\xff'


def test_a_level_has_a_body_of_its_own(tmp_path):
    for name in ("small", "large"):
        (tmp_path / name).write_text(name)
    more = "factors: {size: {small: {load: {body_file: small}}, large: {load: {body_file: large}}}}"
    experiment = load(spec(tmp_path, "body_file: small", more))
    bodies = [
        with_levels(experiment, levels).load.request().body for levels in treatments(experiment)
    ]
    assert bodies == [b"small", b"large"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("body_file: nosuch", "nosuch: No such file or directory"),
        ("body_file: ../exp", "leads out of the spec's folder"),
        ("body_file: huge", "has 1048577 bytes, and a body at most 1048576"),
        ("body_file: item.json, body: x", "body and body_file are two bodies"),
        ("ca: /a.pem", "ca is for https"),
        ('url: "https://127.0.0.1:{port}/", ca: /a.pem', "wrk checks no certificate"),
        ('url: "https://127.0.0.1:{port}/", ca: /a.pem, generator: h2load', "h2load checks no"),
        ("argv: [-R, '5']", "argv is not passed to wrk"),
    ],
)
def test_what_is_refused(tmp_path, body, said):
    (tmp_path / "item.json").write_text("{}")
    (tmp_path / "huge").write_bytes(b"x" * 1048577)
    with pytest.raises(SpecError) as wrong:
        load(spec(tmp_path, body))
    assert said in str(wrong.value)
