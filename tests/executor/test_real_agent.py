"""The real agent at the other end, over every transport: what the parts do together."""

import base64
import hashlib
import json
import stat

import pytest

from runner import errors
from runner.executor.agent import Agent
from runner.executor.blobs import put
from runner.executor.converge import converge, hold
from runner.executor.probe import probe
from runner.executor.restore import restore
from runner.host import boot

RUN = "20260101T000000Z-abcdef"


@pytest.fixture
def agent(transport, state):
    return Agent(transport, run_id=RUN, state_dir=str(state))


def text(content):
    return {"type": "file", "bytes_b64": base64.b64encode(content.encode()).decode()}


def cell(path, want=None):
    made = {"id": f"file:{path.name}", "via": "file", "path": str(path), "form": "file"}
    return made if want is None else made | {"want": want}


def test_agent_is_installed_once(agent, state, transport):
    for _ in range(2):
        probe(agent, facts=False)
    assert [path.name for path in (state / "agent").iterdir()] == [boot.agent_sha()]
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert transport.execs == 2


def test_probe(agent, tmp_path):
    (tmp_path / "a").write_text("hello\n")
    cells = [
        cell(tmp_path / "a"),
        {"id": "ostype", "via": "pseudo", "path": "/proc/sys/kernel/ostype"},
        {"id": "none", "via": "pseudo", "path": "/proc/sys/no/such"},
    ]
    _, values, host = probe(agent, cells, facts=False)
    assert base64.b64decode(values["file:a"].value["bytes_b64"]) == b"hello\n"
    assert values["ostype"].value == "Linux"
    assert (values["none"].value, values["none"].error) == (None, None)
    assert host.busy is None
    assert host.journal_entries == 0


def test_converge_twice_and_restore(agent, tmp_path, transport):
    (tmp_path / "a").write_text("before")
    cells = [cell(tmp_path / "a", text("after")), cell(tmp_path / "b", text("new"))]
    would = converge(agent, cells, check=True)
    assert [result.outcome for result in would] == ["would change", "would change"]
    assert (tmp_path / "a").read_text() == "before"
    first = converge(agent, cells, held=hold("test", 60))
    assert [result.outcome for result in first] == ["changed", "changed"]
    again = converge(agent, cells, held=hold("test", 60))
    assert [result.outcome for result in again] == ["ok", "ok"]
    assert (tmp_path / "a").read_text() == "after"
    assert probe(agent, facts=False).host.journal_entries == 2
    back = restore(agent)
    assert {result.outcome for result in back} == {"restored"}
    assert (tmp_path / "a").read_text() == "before"
    assert not (tmp_path / "b").exists()
    assert restore(agent) == []
    assert transport.execs == 6


def test_a_cell_that_fails_is_a_result(agent, tmp_path):
    (tmp_path / "file").write_text("")
    results = converge(agent, [cell(tmp_path / "file" / "b", text("x"))])
    assert [result.outcome for result in results] == ["failed"]
    assert results[0].why


def test_another_run_holds_the_host(agent, transport, state, tmp_path):
    cells = [cell(tmp_path / "a", text("x"))]
    converge(agent, cells, held=hold("me", 60))
    other = Agent(transport, run_id="20260101T000000Z-000000", state_dir=str(state))
    with pytest.raises(errors.HostBusy, match=RUN) as caught:
        converge(other, cells, held=hold("you", 60))
    assert caught.value.exit_code == 5
    assert caught.value.fix
    assert probe(other, facts=False).host.busy.run == RUN
    restore(agent)


def test_bad_program(agent):
    with pytest.raises(errors.ProgramRefused, match="no way 'magic'"):
        converge(agent, [{"id": "x", "via": "magic", "want": "1"}])
    with pytest.raises(errors.ProgramRefused, match="no program"):
        list(agent.run({"program": "dance"}))


def test_put(agent, state, tmp_path):
    file = tmp_path / "server"
    file.write_bytes(bytes(range(256)) * 40_000)
    sha256 = put(agent, file)
    blob = state / "blobs" / sha256
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert blob.read_bytes() == file.read_bytes()
    assert stat.S_IMODE(blob.stat().st_mode) == 0o700
    before = blob.stat().st_ino
    assert put(agent, file) == sha256
    assert blob.stat().st_ino == before  # not written again: that would be another file


def test_put_as_the_first_program_sends_agent_and_blob_in_one_exec(
    agent, state, tmp_path, transport
):
    file = tmp_path / "server"
    file.write_bytes(b"x")
    assert (state / "blobs" / put(agent, file)).read_bytes() == b"x"
    assert transport.execs == 1


@pytest.mark.parametrize("keep", [0, 1, 70, 200])
def test_truncated_program_does_nothing(agent, state, tmp_path, monkeypatch, keep):
    frame = boot.frame
    monkeypatch.setattr("runner.executor.agent.boot.frame", lambda body: frame(body)[:keep])
    start = agent.transport.start

    def close_after(argv):
        channel = start(argv)
        write = channel.write

        def once(data):
            write(data)
            channel.close_stdin()

        channel.write = once
        return channel

    monkeypatch.setattr(agent.transport, "start", close_after)
    with pytest.raises(errors.ProgramRefused, match="damaged; nothing was done"):
        converge(agent, [cell(tmp_path / "a", text("x" * 500))])
    assert not (tmp_path / "a").exists()
    assert list(state.iterdir()) == []


def test_link_cut_in_converge_leaves_a_journal(sshd, proxy, state, tmp_path):
    """What was begun is finished on the host; the journal knows it; restore undoes it."""
    transport = sshd.transport(tmp_path, port=proxy.port)
    agent = Agent(transport, run_id=RUN, state_dir=str(state))
    probe(agent, facts=False)
    folder = tmp_path / "many"
    folder.mkdir()
    cells = [cell(folder / f"f{n}", text("x")) for n in range(200)]

    proxy.cut_after = 6000
    with pytest.raises(errors.HostUnreachable) as caught:
        converge(agent, cells, held=hold("me", 60))
    assert caught.value.exit_code == 4
    results = restore(agent)
    assert len(list(folder.iterdir())) == 0
    assert all(result.outcome in {"restored", "ok"} for result in results)
    transport.close()


def test_secret_program_is_not_in_the_process_list(agent):
    """The program goes over stdin; only BOOT, a hash and a folder are on the command line."""
    assert len(agent.argv()) == 7
    assert json.dumps(agent.argv()).count(RUN) == 0
