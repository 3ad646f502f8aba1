"""`penstock backfill`: asked for, looked at, changed and asked for again by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.cli.main import cli
from penstock.errors import ConfigurationError, NotFoundError, PenstockError, SettingsError
from penstock.instance.instance import Instance
from penstock.partitions.spec import StaticSpec
from penstock.records.backfill import Backfill
from penstock.records.event import RunFailure
from penstock.records.run import FailureReason, Tag
from penstock.storage.sqlite.backfills import SqliteBackfills
from support.backfill_house import House, asset, shop

KEYS = StaticSpec(keys=("a", "b", "c", "d"))


class Home:
    """A folder with an instance, and the duty that sees to its backfills."""

    def __init__(self, path: Path, instance: Instance) -> None:
        self.path = path
        self.house = House(shop(asset("orders", partitions=KEYS), asset("totals", "orders")), storage=instance.storage)

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(
            cli, ["--as", "ann", "backfill", *arguments, "--home", str(self.path)], catch_exceptions=True
        )

    def said(self, *arguments: str) -> str:
        called = self.call(*arguments)
        assert called.exit_code == 0, (called.output, called.exception)
        return called.output

    def refused(self, *arguments: str) -> str:
        error = self.call(*arguments).exception
        assert isinstance(error, PenstockError)
        return f"{type(error).__name__}: {error}"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Instance.open(tmp_path) as instance:
        yield Home(tmp_path, instance)


def test_partitions_are_asked_for_and_shown(home: Home) -> None:
    backfill_id = home.said(
        "launch", "-a", "orders", "-a", "totals", "--from", "b", "--to", "c", "--title", "fix"
    ).strip()
    home.house.settle()
    assert [run.partition for run in home.house.runs()] == ["b", "c"]
    assert {run.tags[Tag.USER] for run in home.house.runs()} == {"ann"}
    home.house.end(home.house.runs()[0])
    listed = home.said("list", "--status", "requested").splitlines()
    assert listed[0].split() == ["BACKFILL", "STATUS", "OF", "BY", "CREATED", "PARTITIONS"]
    assert listed[1].startswith(f"{backfill_id}  REQUESTED  fix")
    assert listed[1].endswith("1 of 3 made, 1 in progress, 1 waiting")
    shown = home.said("show", backfill_id)
    assert " partitions an hour" in shown
    assert "orders  1 of 2 made, 1 in progress" in shown
    assert "totals  0 of 1 made, 1 waiting" in shown
    assert "Asked for: 3 partitions of 2 assets, by ann." in shown
    (told,) = json.loads(home.said("list", "--json"))
    assert (told["backfill_id"], told["counts"]["materialized"]) == (backfill_id, 1)
    assert json.loads(home.said("show", backfill_id, "--json"))["assets"]["orders"]["in_progress"] == 1
    assert home.said("list", "--status", "CANCELED") == "No backfill fits; without options all are listed.\n"


def test_some_of_all_are_listed(home: Home) -> None:
    assert home.said("list") == "No backfills.\n"
    orders = home.said("launch", "-a", "orders", "--all").strip()
    both = home.said("launch", "-a", "orders", "-a", "totals", "--all", "--title", "A Fix").strip()

    def listed(*options: str) -> list[str]:
        return [line.split()[0] for line in home.said("list", *options).splitlines()[1:]]

    assert listed() == listed("--asset", "orders") == [both, orders]
    assert listed("--asset", "totals") == listed("--text", "a fix") == [both]
    assert listed("--text", orders[-6:]) == [orders]
    assert listed("--asset", "orders", "--text", "nothing") == listed("--user", "ann") == listed("--job", "x") == []
    assert "orders and 1 more" in home.said("show", both)
    assert " orders " in home.said("list", "--text", orders)


def test_it_is_changed_while_it_is_under_way(home: Home) -> None:
    backfill_id = home.said("launch", "-a", "orders", "--all").strip()
    assert home.said("pause", backfill_id) == f"{backfill_id}  REQUESTED\n"
    assert "PAUSED" in home.said("list")
    home.house.settle()
    assert home.house.runs() == []
    home.said("priority", backfill_id, "3")
    home.said("resume", backfill_id)
    home.house.settle()
    assert {run.priority for run in home.house.runs()} == {3}
    assert home.said("cancel", backfill_id) == f"{backfill_id}  CANCELING\n"
    home.house.settle()
    home.house.settle()
    assert "0 of 4 made, 4 canceled" in home.said("show", backfill_id)
    assert "CANCELED, which does not allow that" in home.refused("pause", backfill_id)


def test_what_was_not_made_is_asked_for_again(home: Home) -> None:
    backfill_id = home.said("launch", "-a", "orders", "--partition", "a", "--partition", "d").strip()
    assert "it can be asked for again when it has ended" in home.refused("again", backfill_id)
    home.house.settle()
    first, second = home.house.runs()
    home.house.end(first)
    failure = RunFailure(reason=FailureReason.UNKNOWN, message="no")
    home.house.storage.runs.record(second.run_id, [failure], now=home.house.clock.now())
    home.house.settle()
    home.said("again", backfill_id)
    home.house.settle()
    assert [run.partition for run in home.house.runs()] == ["d"]
    home.said("again", backfill_id, "--all")
    home.house.settle()
    assert [run.partition for run in home.house.runs()] == ["d", "a", "d"]


def test_waiting_for_the_end_tells_how_far_it_has_come(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backfill goes on whenever the command has read where it stands."""
    read = SqliteBackfills.get

    def reading(storage: SqliteBackfills, backfill_id: str) -> Backfill | None:
        found = read(storage, backfill_id)
        home.house.settle()
        for run in home.house.runs()[:1]:
            home.house.end(run)
        return found

    monkeypatch.setattr(SqliteBackfills, "get", reading)
    told = home.said("launch", "-a", "orders", "--partition", "a", "--wait")
    assert "COMPLETED_SUCCESS: 1 of 1 made" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["launch", "--all"], f"{SettingsError.__name__}: Say what to make"),
        (["launch", "-a", "orders"], f"{SettingsError.__name__}: Say which partitions"),
        (["launch", "-a", "orders", "--from", "a"], f"{SettingsError.__name__}: --from and --to go together"),
        (
            ["launch", "-a", "orders", "--from", "c", "--to", "a"],
            f"{ConfigurationError.__name__}: The range of partitions",
        ),
        (["launch", "-a", "orders", "--partition", "x"], "No such partition: 'x'"),
        (["launch", "-a", "none", "--all"], f"{NotFoundError.__name__}: There is no asset 'none'"),
        (["launch", "-j", "none", "--all"], f"{NotFoundError.__name__}: The job 'none' is in no location"),
        (["launch", "-a", "totals", "--from", "a", "--to", "b"], "None of it is partitioned"),
        (["list", "--status", "x"], f"{SettingsError.__name__}: There is no backfill status 'x'"),
        (["show", "x"], f"{NotFoundError.__name__}: There is no backfill 'x'"),
        (["cancel", "x"], f"{NotFoundError.__name__}: There is no backfill 'x'"),
    ],
)
def test_what_does_not_fit_is_refused(home: Home, arguments: list[str], told: str) -> None:
    assert told in home.refused(*arguments)
