"""What holds for all tests."""

import compileall
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.postgres import PostgresServer, given_server, scratch_database

# A deadline would be a timed test: on a busy machine it says nothing about the code.
settings.register_profile("penstock", deadline=None)
settings.load_profile("penstock")

SOURCES = Path(__file__).parents[1] / "src"


def pytest_configure(config: pytest.Config) -> None:
    """Compile our modules once: where PYTHONDONTWRITEBYTECODE is set, every process of a test would do it anew."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(SOURCES, quiet=1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a Postgres server that the tests of this process share."""
    given = given_server()
    if given is not None:
        yield given
        return
    server = PostgresServer()
    yield server.url()
    server.close()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database."""
    with scratch_database(postgres_server) as url:
        yield url
