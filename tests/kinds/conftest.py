from tests.apply.conftest import local, unchanged  # noqa: F401 - fixtures
