import pytest

from runner.executor.agent import Agent
from runner.transports.local import LocalTransport
from tests.executor.standin import standing_in
from tests.host.conftest import group, net, netns, scene  # noqa: F401 - fixtures
from tests.sshd import proxy, sshd  # noqa: F401 - fixtures
from tests.transports.fake import FakeTransport


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture(params=["local", "ssh", "fake"])
def transport(request, tmp_path):
    if request.param == "local":
        made = LocalTransport()
    elif request.param == "fake":
        made = FakeTransport()
    else:
        made = request.getfixturevalue("sshd").transport(tmp_path)
    yield made
    made.close()


@pytest.fixture
def standin(monkeypatch):
    with standing_in(monkeypatch):
        yield


@pytest.fixture
def agent(transport, state, standin):
    return Agent(transport, run_id="20260101T000000Z-abcdef", state_dir=str(state))
