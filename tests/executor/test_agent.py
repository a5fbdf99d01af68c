"""The conversation with an agent, over every transport, with a stand-in at the other end."""

import json
import sys

import pytest

from runner import errors
from runner.executor.agent import Agent, StreamCut
from runner.executor.blobs import put
from runner.records.host_events import End, Value
from runner.transports.interface import LinkLost
from runner.transports.local import LocalTransport
from tests.executor.standin import ZIP
from tests.transports.fake import FakeTransport

END = '{"event": "end", "ok": true, "error": null}\n'


def say(*raw, **other):
    return {"program": "say", "raw": list(raw), **other}


def programs(state):
    return [json.loads(line) for line in (state / "programs").read_text().splitlines()]


def test_events_come_as_they_are(agent, state):
    events = list(agent.run(say('{"event": "value", "id": "a", "value": [1, null, "ü"]}\n', END)))
    assert events == [
        Value(id="a", value=[1, None, "ü"]),
        End(ok=True),
    ]
    assert programs(state)[0]["run"] == "20260101T000000Z-abcdef"
    assert programs(state)[0]["version"] == 1


def test_agent_is_sent_once(agent, state):
    for _ in range(3):
        assert [event.kind for event in agent.run(say(END))] == ["end"]
    assert (state / "agent").read_bytes() == ZIP


def test_one_exec_a_program(agent, request, transport):
    server = request.getfixturevalue("sshd") if "ssh" in request.node.name else None
    before = server.sessions() if server else 0
    list(agent.run(say(END)))  # with the agent on its way, too
    assert transport.execs == 1
    list(agent.run(say(END)))
    assert transport.execs == 2
    if server:
        assert server.sessions() == before + 2


def test_large_program(agent, state):
    list(agent.run(say(END, ballast="ü" * 1_000_000)))
    assert len(programs(state)[0]["ballast"]) == 1_000_000


@pytest.mark.parametrize(
    ("code", "kind", "exit_code"),
    [
        ("bad_program", errors.ProgramRefused, 2),
        ("busy", errors.HostBusy, 5),
        ("need_root", errors.NeedRoot, 2),
        ("disk_full", errors.HostError, 2),
        ("internal", errors.ProgramRefused, 2),
        ("not_found", errors.HostError, 2),
        ("heard of never", errors.HostError, 2),
    ],
)
def test_errors_of_end(agent, code, kind, exit_code):
    with pytest.raises(kind) as caught:
        list(agent.run({"program": "refuse", "error": [code, "the words", "the fix"]}))
    assert type(caught.value) is kind
    assert caught.value.exit_code == exit_code
    assert caught.value.message == f"{agent.name}: the words"
    assert caught.value.fix == "the fix"


def test_events_before_an_error_are_handed_on(agent):
    end = '{"event":"end","ok":false,"error":{"code":"disk_full","message":"m","fix":"f"}}\n'
    seen = []
    with pytest.raises(errors.HostError):  # noqa: PT012
        for event in agent.run(say('{"event":"result","id":"a","outcome":"ok"}\n', end)):
            seen.append(event.kind)
    assert seen == ["result", "end"]


def test_what_a_shell_prints_at_its_start_is_passed_over(agent):
    list(agent.run(say(END)))  # the agent is there
    events = list(agent.run(say("Welcome to pi4!\n", '{"not": "an event"}\n', "17\n", END)))
    assert [event.kind for event in events] == ["end"]


def test_a_line_that_is_no_event(agent):
    with pytest.raises(
        errors.ProgramRefused, match=r"not an event \(JSON is malformed.*\): 'Segmentation"
    ):
        list(agent.run(say('{"event": "idle_started"}\n', "Segmentation fault\n", END)))


@pytest.mark.parametrize("last", ["", '{"event": "idle_ended"', '{"event": "idle_ended"}'])
def test_a_stream_without_end(agent, last):
    with pytest.raises(StreamCut, match="exit code 0 before") as caught:
        list(agent.run(say('{"event": "idle_started"}\n', last)))
    assert caught.value.exit_code == 2
    assert "restore" in caught.value.fix


@pytest.mark.parametrize("code_first", [False, True])
def test_link_lost_in_the_last_output(state, standin, code_first):
    """sshd may tell the exit code before it has sent all output: lost all the same."""
    transport = FakeTransport(cuts=[None, 30], code_first=code_first)
    agent = Agent(transport, run_id="20260101T000000Z-abcdef", state_dir=str(state))
    list(agent.run(say(END)))  # the agent is there
    with pytest.raises(LinkLost):
        list(agent.run(say('{"event": "a", "more": "than 30 bytes"}\n', END)))


def test_the_agents_last_words_are_shown(agent):
    with pytest.raises(
        StreamCut, match=r"exit code 1 before the program did:\nTraceback\nMemoryError"
    ):
        list(agent.run({"program": "x", "die": 1, "words": "Traceback\nMemoryError\n"}))


def test_damaged_frame(agent, monkeypatch):
    good = agent_frame()
    monkeypatch.setattr("runner.executor.agent.boot.frame", lambda body: good(body)[:-1] + b"!")
    with pytest.raises(errors.ProgramRefused, match="damaged; nothing was done") as caught:
        list(agent.run(say(END)))
    assert not isinstance(caught.value, StreamCut)


def agent_frame():
    from runner.host import boot

    return boot.frame


def test_agent_killed(agent):
    with pytest.raises(StreamCut, match=r"signal 9|without an exit code"):
        list(agent.run({"program": "x", "die": -9}))


def test_leaving_early_ends_the_process(agent, transport):
    events = agent.run(say('{"event": "idle_started"}\n', hang=True))
    assert next(events).kind == "idle_started"
    events.close()  # the agent hears that nobody is there


def test_no_python(transport, standin, state):
    transport.python = "/no/such/python3"
    agent = Agent(transport, run_id="r", state_dir=str(state))
    with pytest.raises(errors.HostUnreachable) as caught:
        list(agent.run(say(END)))
    assert "/no/such/python3" in str(caught.value)
    assert caught.value.fix


def test_put_sends_once(agent, state, tmp_path, transport):
    file = tmp_path / "program"
    file.write_bytes(bytes(range(256)) * 20_000)
    sha256 = put(agent, file)
    assert (state / sha256).read_bytes() == file.read_bytes()
    (state / sha256).write_bytes(b"kept")
    assert put(agent, file) == sha256
    assert (state / sha256).read_bytes() == b"kept"
    assert transport.execs == 2


def test_put_of_a_missing_file(agent, tmp_path):
    with pytest.raises(errors.RecordError):
        put(agent, tmp_path / "none")


# root


def sudo(tmp_path, text):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sudo").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "sudo").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.fixture(params=["local", "ssh"])
def as_user(request, tmp_path):
    """Make a transport that is not root, with a sudo of the test's own."""
    made = []

    def make(text):
        env = sudo(tmp_path, text) if text is not None else {"PATH": str(tmp_path / "empty")}
        if request.param == "local":
            transport = LocalTransport(env=env)
            transport.is_root = False
        else:
            from tests.sshd import start_sshd, stop_sshd

            folder = tmp_path / "sshd"
            folder.mkdir()
            server = start_sshd(folder, f"SetEnv PATH={env['PATH']}")
            request.addfinalizer(lambda: stop_sshd(server))
            transport = type("AsUser", (type(server.transport(tmp_path)),), {"is_root": False})(
                server.options(tmp_path), name="board"
            )
        made.append(transport)
        return transport

    yield make
    for transport in made:
        transport.close()


def test_become_goes_through_sudo(as_user, standin, state, tmp_path):
    transport = as_user(f'printf "%s\\n" "$1" > {tmp_path}/asked; shift; exec "$@"')
    agent = Agent(transport, run_id="r", state_dir=str(state), become=True)
    assert agent.argv()[:3] == ["sudo", "-n", transport.python]
    assert [event.kind for event in agent.run(say(END))] == ["end"]
    assert (tmp_path / "asked").read_text() == "-n\n"


def test_sudo_that_wants_a_password(as_user, standin, state):
    transport = as_user("echo 'sudo: a password is required' >&2; exit 1")
    agent = Agent(transport, run_id="r", state_dir=str(state), become=True)
    with pytest.raises(errors.NeedRoot, match="a password is required") as caught:
        list(agent.run(say(END)))
    assert "NOPASSWD" in caught.value.fix
    assert caught.value.exit_code == 2


def test_no_sudo(as_user, standin, state):
    agent = Agent(as_user(None), run_id="r", state_dir=str(state), become=True)
    with pytest.raises(errors.NeedRoot) as caught:
        list(agent.run(say(END)))
    assert "NOPASSWD" in caught.value.fix


def test_root_needs_no_sudo(standin):
    transport = LocalTransport()
    transport.is_root = True
    assert Agent(transport, run_id="r", become=True).argv()[0] == sys.executable


# a link that breaks


def test_link_cut_in_a_program(sshd, proxy, standin, state, tmp_path):
    transport = sshd.transport(tmp_path, port=proxy.port)
    agent = Agent(transport, run_id="r", state_dir=str(state))
    seen = []
    with pytest.raises(LinkLost) as caught:  # noqa: PT012
        for event in agent.run(
            say('{"event": "idle_started"}\n', '{"event": "idle_ended"', hang=True)
        ):
            seen.append(event.kind)
            proxy.cut()
    assert seen == ["idle_started"]
    assert caught.value.exit_code == 4
    assert "journal" in caught.value.fix
    transport.close()


def test_traceback_of_an_agent_that_failed_is_shown(transport, state, monkeypatch, standin):
    text = (
        "import json, sys; sys.stderr.write('Traceback\\nKeyError: 7\\n'); print(json.dumps(dict("
        "event='end', ok=False, error=dict(code='internal', message='KeyError: 7', fix='report'))))"
    )
    monkeypatch.setattr("runner.host.boot.BOOT", text)
    agent = Agent(transport, run_id="r", state_dir=str(state))
    with pytest.raises(errors.ProgramRefused) as caught:
        list(agent.run(say(END)))
    assert caught.value.message == f"{agent.name}: KeyError: 7\nTraceback\nKeyError: 7"
    assert caught.value.fix == "report"
