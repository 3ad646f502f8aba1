"""What holds for all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from support.postgres import PostgresServer, given_server, scratch_database

# A deadline would be a timed test: on a busy machine it says nothing about the code.
settings.register_profile("penstock", deadline=None)
settings.load_profile("penstock")


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
