"""A secret reaches the program, and nothing else: not the record, the terminal, the host's files."""

from __future__ import annotations

import base64
import gzip
import html
import json
import shlex
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.host.mask import SHOWN, Mask
from tests.apply.conftest import Cli

TOKEN = 's3cr3t/tö "quoted"+&=<x>'
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----\n"

PROGRAM = """
import base64, hashlib, json, os, sys, urllib.parse
value = sys.argv[1]
key = open(os.environ["KEYFILE"]).read()
same = (hashlib.sha256(value.encode()).hexdigest() == os.environ["SUM"]
        and os.environ["TOKEN"] == "Bearer " + value
        and value in open(os.environ["CONF"]).read())
for one in (value, key):
    print(one)
    print(json.dumps({"token": one, "inner": json.dumps({"t": one})}))
    print(json.dumps({"token": one}, ensure_ascii=False))
    print("https://x/?t=" + urllib.parse.quote(one, safe="") + "&u=" + urllib.parse.quote_plus(one))
    print("https://x/" + urllib.parse.quote(one))
    for before in (b"", b"a", b"ab", b"user:"):
        print(base64.b64encode(before + one.encode() + b"tail").decode())
        print(base64.urlsafe_b64encode(before + one.encode()).decode())
    print(one.encode().hex())
    print("x" * 70_000 + one, file=sys.stderr)
sys.exit(0 if same else 7)
"""
WATCH = """
import glob, os, sys
seen = set()
while not os.path.exists(sys.argv[1]):
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            seen.add(open(path, "rb").read())
        except OSError:
            continue
sys.stdout.buffer.write(b"\\n".join(seen))
"""
SPEC = """\
schema: experiment/1
name: secret
system:
  files:
    {folder}/conf: {{content: "token={{{{ token }}}}\\n"}}
    {folder}/key: {{content: !secret file:key.pem, mode: "0600"}}
  templates:
    {folder}/made: {{src: made.j2, vars: {{token: !secret env:TOKEN_X}}}}
vars: {{token: !secret env:TOKEN_X}}
workload:
  argv: [{python}, {folder}/program.py, !secret env:TOKEN_X]
  run: once
  env: {{TOKEN: "Bearer {{{{ token }}}}", KEYFILE: {folder}/key, CONF: {folder}/conf, SUM: "{sum}"}}
metrics: {{code: {{from: workload.exit_code}}}}
repeat: 2
"""


def forms() -> list[bytes]:
    found = []
    for value in (TOKEN, PEM, PEM.splitlines()[1], PEM.splitlines()[2]):
        raw = value.encode()
        found += [raw, json.dumps(value)[1:-1].encode(), raw.hex().encode()]
        found += [json.dumps(value, ensure_ascii=False)[1:-1].encode()]
        found += [
            urllib.parse.quote(value, safe="").encode(),
            urllib.parse.quote_plus(value).encode(),
        ]
        for before in range(3):
            text = base64.b64encode(b"\0" * before + raw)
            found.append(text[4 : len(raw) * 8 // 6 - 2])
    return found


def leaks(*folders: Path) -> list[str]:
    found = []
    for folder in folders:
        for path in (one for one in folder.rglob("*") if one.is_file()):
            data = path.read_bytes()
            if path.suffix == ".gz" or ".gz." in path.name:
                data = gzip.decompress(data)
            found += [f"{path}: {form[:30]!r}" for form in forms() if form in data]
    return found


@pytest.fixture
def run(local: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    import hashlib

    monkeypatch.setenv("TOKEN_X", TOKEN)
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "key.pem").write_text(PEM)
    (tmp_path / "made.j2").write_text("made of {{ token }}\n")
    total = hashlib.sha256(TOKEN.encode()).hexdigest()
    local.spec(SPEC.format(folder=tmp_path, python=sys.executable, sum=total), "secret.yaml")
    return local


@pytest.mark.timeout(300)
def test_it_reaches_the_program_and_nothing_else(run: Cli, tmp_path: Path) -> None:
    spec = str(tmp_path / "secret.yaml")
    asked = ("--allow-secret", str(tmp_path / "key.pem"), "-v", "--diff")
    done = run("apply", spec, *asked)
    said = (done.stdout + done.stderr).encode()
    assert not [form for form in forms() if form in said]
    (folder,) = (path.parent for path in run.reports.rglob("run.json"))
    manifest = json.loads((folder / "run.json").read_text())
    assert manifest["state"] == "done", manifest["why"]
    packed = [gzip.decompress(path.read_bytes()) for path in sorted((folder / "events").iterdir())]
    events = [json.loads(line) for data in packed for line in data.splitlines()]
    ended = [event for event in events if event["event"] == "workload_exited"]
    assert [event["code"] for event in ended] == [0, 0], "the program has got the values"
    assert any(SHOWN in str(event.get("text")) for event in events if event["event"] == "output")
    assert leaks(run.reports, tmp_path / "state") == []
    for command in (
        ("report", str(folder)), ("export", str(folder), "--to", "csv", "-o", str(tmp_path / "csv")),
        ("compare", str(folder), str(folder)), ("verify", spec, "--allow-secret", str(tmp_path)),
        ("claims",), ("plan", spec, *asked[:2]), ("plan", spec, *asked[:2], "--program"),
    ):  # fmt: skip
        offline = command[0] in ("report", "export", "compare", "verify", "claims")
        again = (Cli(tmp_path) if offline else run)(*command, code=None)
        assert "Traceback" not in again.stderr
        assert not [form for form in forms() if form in (again.stdout + again.stderr).encode()], (
            command
        )
        assert again.returncode in (0, 1), (command, again.stderr)


def test_a_run_with_one_can_be_attached_and_resumed(run: Cli, tmp_path: Path) -> None:
    spec = str(tmp_path / "secret.yaml")
    asked = ("--allow-secret", str(tmp_path))
    run("apply", spec, *asked)
    (manifest,) = run.reports.rglob("run.json")
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**data, "state": "running"}))
    run("attach", str(manifest.parent))
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "state": "interrupted"}))
    run("apply", spec, *asked, "--resume", manifest.parent.name)
    assert leaks(run.reports, tmp_path / "state") == []


def test_a_file_is_read_only_from_where_the_user_says(run: Cli, tmp_path: Path) -> None:
    spec = str(tmp_path / "secret.yaml")
    done = run("apply", spec, code=3)
    assert "--allow-secret" in done.stderr
    assert not list(run.reports.rglob("run.json"))
    other = tmp_path / "other"
    other.mkdir()
    assert run("apply", spec, "--allow-secret", str(other), code=3)
    # a link out of an allowed folder leads out of it
    (other / "key.pem").symlink_to("/etc/passwd")
    text = (tmp_path / "secret.yaml").read_text().replace("file:key.pem", "file:other/key.pem")
    (tmp_path / "linked.yaml").write_text(text)
    done = run("apply", str(tmp_path / "linked.yaml"), "--allow-secret", str(other), code=3)
    assert "may not be read" in done.stderr
    # the folder of the inventory is the user's
    (tmp_path / "hosts.yaml").write_text("hosts: {pi: {address: 192.0.2.1}}\n")
    run("apply", spec, "--check", "-i", str(tmp_path / "hosts.yaml"))


def test_an_inventory_does_not_lend_its_reach_to_a_spec(tmp_path: Path) -> None:
    from runner.errors import SpecError
    from runner.records.secrets import values_in
    from runner.specfile import load
    from runner.specfile.inventory import load as load_inventory

    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    theirs.mkdir()
    (mine / "password").write_text("of the inventory")
    (tmp_path / "private").write_text("not for specs")
    (mine / "hosts.yaml").write_text(
        "hosts: {pi: {address: 192.0.2.1, vars: {pass: !secret file:password}}}\n"
    )
    (theirs / "exp.yaml").write_text(
        "schema: experiment/1\nname: x\nhosts: {server: pi}\nvars: {own: !secret file:../private}\n"
        "workload: {argv: [x], env: {A: '{{ pass }} {{ own }}'}}\n"
    )
    spec = load(theirs / "exp.yaml", inventory=load_inventory(mine / "hosts.yaml"), secrets=[mine])
    with pytest.raises(SpecError, match=r"private may not be read"):
        values_in(spec)
    allowed = load(
        theirs / "exp.yaml", inventory=load_inventory(mine / "hosts.yaml"), secrets=[mine, tmp_path]
    )
    assert set(values_in(allowed)) == {"of the inventory", "not for specs"}


@pytest.mark.parametrize("value", ["", " ", "abc", "\n\n\n"])
def test_one_that_cannot_be_told_from_other_text_is_refused(
    run: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TOKEN_X", value)
    done = run("apply", str(tmp_path / "secret.yaml"), "--allow-secret", str(tmp_path), code=3)
    assert "too short" in done.stderr


def test_argv_is_seen_by_others_and_that_is_said(run: Cli, tmp_path: Path) -> None:
    spec = str(tmp_path / "secret.yaml")
    done = Cli(tmp_path)("lint", spec, code=None)
    assert "secret-in-argv" in done.stdout
    planned = run("plan", spec, "--allow-secret", str(tmp_path))
    assert "ps" in planned.stdout


SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        known = self.path.endswith("?key=" + os.environ["T"])
        self.answer(200 if known else 403, (os.environ["T"] + " said back").encode())
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        good = body == "b " + os.environ["T"] and self.headers["X-Token"] == os.environ["T"]
        good = good and self.path == "/work?key=" + os.environ["T"]
        self.answer(200 if good else 403)
    def answer(self, code, page=b""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
REQUEST = """\
schema: experiment/1
name: request
vars: {{token: !secret env:TOKEN_H}}
workload:
  argv: [{python}, {folder}/server.py, "{{port}}"]
  env: {{T: !secret env:TOKEN_H}}
  ready: {{http: "http://127.0.0.1:{{port}}/ready?key={{{{ token }}}}"}}
  fetch: [{{name: page, url: "http://127.0.0.1:{{port}}/page?key={{{{ token }}}}"}}]
  network: isolated
load:
  generator: {generator}
  url: "http://127.0.0.1:{{port}}/work?key={{{{ token }}}}"
  connections: 2
  threads: 1
  measure: 1s
  method: POST
  headers: {{X-Token: !secret env:TOKEN_H}}
  body: "b {{{{ token }}}}"
metrics: {{errors: {{from: load.error_ratio}}}}
healthy: [load.error_ratio == 0]
"""


def test_urls_headers_and_bodies_reach_the_server_and_no_argv(
    local: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """wrk is told by a file, which goes with the trial; h2load takes headers in argv alone."""
    monkeypatch.setenv("TOKEN_H", "s3cr3t-header-value")
    (tmp_path / "server.py").write_text(SERVER)
    words = {"python": sys.executable, "folder": tmp_path}
    refused = local.spec(REQUEST.format(generator="h2load", **words), "h2load.yaml")
    assert "where others see them" in local("validate", str(refused), code=3).stdout
    text = REQUEST.format(generator="vegeta", **words).replace("  connections: 2", "  rate: 10/s")
    refused = local.spec(text.replace("  threads: 1\n", ""), "vegeta.yaml")
    assert "vegeta takes its url in its argv" in local("validate", str(refused), code=3).stdout
    text = REQUEST.format(generator="wrk", **words).replace(
        "127.0.0.1:{port}/work", "u:{{ token }}@127.0.0.1/work"
    )
    refused = local.spec(text, "password.yaml")
    assert "a password goes into headers" in local("validate", str(refused), code=3).stdout
    watch = subprocess.Popen(
        [sys.executable, "-c", WATCH, str(tmp_path / "done")], stdout=subprocess.PIPE
    )
    try:
        spec = local.spec(REQUEST.format(generator="wrk", **words), "wrk.yaml")
        found = local.apply(spec)
    finally:
        (tmp_path / "done").touch()
        seen = watch.communicate(timeout=30)[0]
    assert found["trials"][0]["outcome"] == "healthy", found["trials"]
    assert b"s3cr3t-header-value" not in seen
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"s3cr3t-header-value" in path.read_bytes()]
    assert not [path for path in local.reports.rglob("*.json") if b"s3cr3t" in path.read_bytes()]
    packed = [gzip.decompress(path.read_bytes()) for path in local.reports.rglob("events/*.gz")]
    assert packed
    assert not [data for data in packed if b"s3cr3t" in data]
    assert any(b"said back" in data for data in packed), "the page was fetched"


def test_our_own_helpers_have_none_in_their_argv(run: Cli, tmp_path: Path) -> None:
    """All command lines of the machine, all the while."""
    watch = subprocess.Popen(
        [sys.executable, "-c", WATCH, str(tmp_path / "done")], stdout=subprocess.PIPE
    )
    run("apply", str(tmp_path / "secret.yaml"), "--allow-secret", str(tmp_path))
    (tmp_path / "done").touch()
    lines = watch.communicate(timeout=30)[0].split(b"\n")
    with_it = [line for line in lines if b"s3cr3t" in line or b"MIIEvQ" in line]
    assert all(b"program.py" in line for line in with_it), with_it


def test_what_a_compiler_says_is_masked_too() -> None:
    mask = Mask(["hunter2222"])
    assert mask.value({"a": ["x hunter2222"], "n": 3, "bytes_b64": _b64(b"my hunter2222!")}) == {
        "a": [f"x {SHOWN}"], "n": 3, "bytes_b64": _b64(b"my **********!"),
    }  # fmt: skip


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


secrets = st.text(st.characters(codec="utf-8"), min_size=6, max_size=40).filter(
    lambda text: len(text.strip()) >= 6
)


@given(secret=secrets, before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_no_form_of_any_secret_is_left(secret: str, before: bytes, after: bytes) -> None:
    mask = Mask([secret])
    raw = secret.encode()
    texts = [
        secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False),
        json.dumps(json.dumps(secret)), urllib.parse.quote(secret, safe=""),
        urllib.parse.quote(secret), urllib.parse.quote_plus(secret), raw.hex(),
    ]  # fmt: skip
    for text in texts:
        assert secret not in mask.text(f"a{text}b")
        assert SHOWN in mask.text(f"a{text}b")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + raw + after).decode()
        assert SHOWN in mask.text(text)
    assert raw not in mask.data(before + raw + after) or set(secret) == {"*"}


@pytest.mark.parametrize(
    "written",
    [
        repr, ascii, html.escape, lambda text: html.escape(text, quote=False), shlex.quote,
        lambda text: str(text.encode()), lambda text: str(text.encode())[2:-1],
        lambda text: text.replace("'", "''"), lambda text: text.replace("\\", "\\\\"),
        lambda text: html.escape(text).replace("&#x27;", "&#39;"),
        lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        lambda text: "".join(s if s.isalnum() else f"\\{s}" for s in text),
        json.dumps, lambda text: json.dumps(json.dumps(text)),
        lambda text: json.dumps(text, ensure_ascii=False),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "secret", ['s3cr3t"k\\e y&=é<Zq9', 'it\'s a "key" & more', "plain-Zq9-text", "\\\\share\\k$y"]
)
def test_a_secret_is_hidden_however_it_is_quoted(secret, written):
    """As a page, a shell, Python and C write it; the quotes around it may stay."""
    said = Mask([secret]).text(f"before {written(secret)} after")
    inside = said.removeprefix("before ").removesuffix(" after").strip("b'\"\\")
    assert inside == SHOWN
