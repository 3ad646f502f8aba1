"""Waking over sockets: private folders, dead listeners, and the look at the database as a net."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.storage.sqlite import wake
from penstock.storage.sqlite.connection import Database
from penstock.storage.sqlite.migration import migrate
from penstock.storage.sqlite.wake import EVERYTHING, SocketNotifier


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "penstock.db")
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def notifier(database: Database) -> Iterator[SocketNotifier]:
    notifier = SocketNotifier(database)
    yield notifier
    notifier.close()


def test_a_path_too_deep_for_a_socket_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    database = Database(deep / "penstock.db")
    notifier = SocketNotifier(database)
    subscription = notifier.subscribe()
    notifier.publish(["topic"])
    assert subscription.wait(20) == {"topic"}
    subscription.close()
    notifier.close()
    database.close()


def test_databases_do_not_hear_each_other(database: Database, notifier: SocketNotifier, tmp_path: Path) -> None:
    other = SocketNotifier(Database(tmp_path / "other.db"))
    subscription = other.subscribe()
    notifier.publish(["topic"])
    assert subscription.wait(0) == frozenset()
    subscription.close()


def test_the_folder_is_private_and_goes_with_its_last_listener(notifier: SocketNotifier) -> None:
    first, second = notifier.subscribe(), notifier.subscribe()
    folder = notifier._folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.iterdir())) == 2
    first.close()
    second.close()
    assert not folder.exists()


def test_a_folder_open_to_others_is_not_used(notifier: SocketNotifier, database: Database) -> None:
    notifier._folder.mkdir(mode=0o777)
    notifier._folder.chmod(0o777)
    subscription = notifier.subscribe()
    assert list(notifier._folder.iterdir()) == []
    subscription.close()
    notifier._folder.rmdir()


def test_a_socket_that_nobody_holds_is_swept_away(notifier: SocketNotifier) -> None:
    subscription = notifier.subscribe()
    dead = notifier._folder / "1-1"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left_behind:
        left_behind.bind(str(dead))
    notifier.publish(["topic"])
    assert subscription.wait(20) == {"topic"}
    assert not dead.exists()
    subscription.close()


def test_more_topics_than_a_datagram_holds_are_everything(notifier: SocketNotifier) -> None:
    subscription = notifier.subscribe()
    notifier.publish([f"run:{number}" for number in range(1000)])
    assert subscription.wait(20) == {EVERYTHING}
    subscription.close()


def test_a_change_that_nobody_told_of_is_seen_in_the_database(
    notifier: SocketNotifier, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "_LOOK_SECONDS", 0.01)
    subscription = notifier.subscribe()
    with database.write("change") as connection:
        connection.execute("INSERT INTO named_values VALUES ('a', 'b')")
    assert subscription.wait(20) == {EVERYTHING}
    assert subscription.wait(0.05) == frozenset()
    subscription.close()


def test_a_change_that_was_heard_of_is_not_told_again(
    notifier: SocketNotifier, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "_LOOK_SECONDS", 0.01)
    subscription = notifier.subscribe()
    with database.write("change") as connection:
        connection.execute("INSERT INTO named_values VALUES ('a', 'b')")
    notifier.publish(["topic"])
    assert subscription.wait(20) == {"topic"}
    assert subscription.wait(0.1) == frozenset()
    subscription.close()


def test_a_listener_that_comes_in_the_same_step_of_the_folder_s_time_is_found(notifier: SocketNotifier) -> None:
    first = notifier.subscribe()
    notifier.publish(["one"])
    times = notifier._folder.stat()
    second = notifier.subscribe()
    os.utime(notifier._folder, ns=(times.st_atime_ns, times.st_mtime_ns))
    notifier.publish(["two"])
    assert first.wait(20) == {"one", "two"}
    assert second.wait(20) == {"two"}
    first.close()
    second.close()
