from tests.sshd import proxy, sshd  # noqa: F401 - fixtures
