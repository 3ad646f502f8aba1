"""`penstock migrate history`: says what it has carried over, and what not and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.cli.main import cli
from penstock.errors import SettingsError
from penstock.instance.instance import Instance
from penstock.storage.protocols import RunFilter

from .old_history import OldTable, write_home


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["migrate", "history", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def old(tmp_path: Path, tables: dict[str, OldTable]) -> Path:
    """The old home."""
    tables["event_logs"].rows[5][2] = "{"
    return write_home(tmp_path / "old", tables)


def test_it_sums_up_what_came_over_and_what_did_not(old: Path, tmp_path: Path) -> None:
    told = run(old, "--home", tmp_path / "home", "--location", "shop.py=shop")
    assert told.exit_code == 0
    assert told.stdout.splitlines()[:3] == [
        "CARRIED OVER",
        "runs                               11",
        "events of runs                     281",
    ]
    assert "      1  runs that have not ended: import again when they have, or give --unfinished" in told.stdout
    assert f"Could not be read (1 rows of {old}):\n  run 5ff49a22-101e-4197-b426-6dd8b867eb49, event " in told.stdout
    with Instance.open(tmp_path / "home") as instance:
        assert instance.storage.runs.count(RunFilter(location="shop")) == 1
    again = run(old, "--home", tmp_path / "home", "--location", "shop.py=shop")
    assert "Here already: 11 of 12 runs." in again.stdout


def test_a_dry_run_says_what_would_come_over(old: Path, tmp_path: Path) -> None:
    told = run(old, "--home", tmp_path / "home", "--dry-run")
    assert told.stdout.startswith("WOULD BE CARRIED OVER\nruns                               11\n")
    with Instance.open(tmp_path / "home") as instance:
        assert instance.storage.runs.count(RunFilter()) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--since", "long ago"], "--since long ago: .*; give a day like 2026-01-31"),
        (["--location", "a="], "--location a=: give OLD=NEW, or one NAME for all"),
    ],
)
def test_options_that_are_wrong_are_named(old: Path, tmp_path: Path, options: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        run(old, "--home", tmp_path / "home", *options)
