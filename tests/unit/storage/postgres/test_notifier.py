"""Listening on Postgres: what is heard after an outage, and how long messages are cut."""

from __future__ import annotations

import select
from collections.abc import Iterator

import psycopg
import pytest

from penstock.storage.postgres import PostgresStorage, notifier
from penstock.storage.postgres.connection import Connection, Database
from penstock.storage.postgres.notifier import EVERYTHING, PostgresNotifier, PostgresSubscription
from penstock.testing.storage_contract.builders import queued_run

_DEADLINE = 20.0


@pytest.fixture
def storage(postgres_url: str) -> Iterator[PostgresStorage]:
    storage = PostgresStorage(postgres_url)
    storage.migrate()
    yield storage
    storage.close()


@pytest.fixture
def subscription(storage: PostgresStorage) -> Iterator[PostgresSubscription]:
    subscription = storage.notifier.subscribe()
    yield subscription
    subscription.close()


def test_who_has_lost_the_connection_takes_everything_for_changed(
    storage: PostgresStorage, subscription: PostgresSubscription, postgres_url: str
) -> None:
    descriptor = subscription.fileno()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert select.select([descriptor], [], [], _DEADLINE)[0] == [descriptor]
    assert subscription.wait(_DEADLINE) == {EVERYTHING}
    storage.notifier.publish(["later"])
    assert select.select([descriptor], [], [], _DEADLINE)[0] == [descriptor]
    assert subscription.wait(_DEADLINE) == {"later"}
    assert subscription.fileno() == descriptor


def test_a_listener_may_begin_while_the_database_is_away() -> None:
    away = Database({"host": "127.0.0.1", "port": 1})
    subscription = PostgresNotifier(away).subscribe()
    assert subscription.wait(0.0) == frozenset()
    PostgresNotifier(away).publish(["nobody hears this, and nobody is told"])
    subscription.close()


def test_new_events_that_nobody_told_of_are_found_by_looking(
    storage: PostgresStorage, subscription: PostgresSubscription, postgres_url: str
) -> None:
    killed = PostgresStorage(postgres_url)
    killed.notifier.publish = lambda topics: None  # type: ignore[method-assign] # it died after its commit
    queued_run(killed)
    killed.close()
    assert subscription.wait(_DEADLINE) == {EVERYTHING}


def test_a_message_that_comes_with_the_answer_of_a_look_is_heard(
    storage: PostgresStorage, subscription: PostgresSubscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = notifier._last_event

    def look_when_there_is_a_message(connection: Connection) -> int:
        storage.notifier.publish(["meanwhile"])
        assert select.select([subscription.fileno()], [], [], _DEADLINE)[0] != []
        return look(connection)

    monkeypatch.setattr(notifier, "_last_event", look_when_there_is_a_message)
    subscription._next_look = 0.0
    assert subscription.wait(_DEADLINE) == {"meanwhile"}


@pytest.mark.parametrize("topics", [[f"run:{number}" for number in range(3000)], ["ü" * 3000, "a"], ["nul\x00l"]])
def test_many_and_long_topics_are_cut_into_messages_that_the_server_takes(
    storage: PostgresStorage, subscription: PostgresSubscription, topics: list[str]
) -> None:
    storage.notifier.publish(topics)
    heard: set[str] = set()
    while not heard & {EVERYTHING} and len(heard) < len(topics):
        more = subscription.wait(_DEADLINE)
        assert more
        heard |= more
    assert heard in ({topic.replace("\x00", "") for topic in topics}, {EVERYTHING})


def test_more_than_a_message_holds_is_everything(storage: PostgresStorage, subscription: PostgresSubscription) -> None:
    storage.notifier.publish(["x" * 9000])
    assert subscription.wait(_DEADLINE) == {EVERYTHING}
