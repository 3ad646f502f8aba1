"""`penstock account`: accounts, their roles, and tokens that are shown once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.auth.api_tokens import actor_behind
from penstock.auth.permissions import Actor
from penstock.cli.main import cli
from penstock.instance.instance import Instance
from penstock.records.account import Role

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["account", *arguments, "--home", str(home)])

    return invoke


def who(home: Path, text: str) -> Actor | None:
    with Instance.open(home) as instance:
        return actor_behind(instance.storage.accounts, text, now=instance.clock.now())


def test_an_account_and_its_roles(run: Run) -> None:
    assert "No accounts." in run("list").output
    assert run("add", "ann").output == "ann is a new account with the role viewer.\n"
    assert run("add", "bob", "--role", "admin").exit_code == 0
    assert "ann has the role launcher now." in run("set-role", "ann", "launcher").output
    assert "ann has the role editor in shop now." in run("set-role", "ann", "editor", "-l", "shop").output
    listed = run("list").output
    assert "launcher, editor in shop" in listed
    assert listed.index("ann") < listed.index("bob")
    assert "ann has its general role in shop now." in run("set-role", "ann", "none", "-l", "shop").output
    assert "editor in shop" not in run("list").output
    assert "ann is removed." in run("remove", "ann").output
    assert "ann" not in run("list").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "ann"), "There is an account 'ann' already"),
        (("add", "a b"), "'a b' cannot be the name of an account"),
        (("set-role", "eve", "admin"), "There is no account 'eve'; `penstock account list`"),
        (("set-role", "ann", "none"), "`penstock account disable ann`, or give -l"),
        (("set-role", "ann", "none", "-l", "shop"), "'ann' has no role of its own in shop"),
        (("disable", "eve"), "There is no account 'eve'"),
        (("enable", "eve"), "There is no account 'eve'"),
        (("remove", "eve"), "There is no account 'eve'"),
        (("token", "create", "eve"), "There is no account 'eve'"),
        (("token", "list", "eve"), "There is no account 'eve'"),
        (("token", "revoke", "ann", "7"), "The account 'ann' has no token 7 that is not revoked"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_remedy(run: Run, arguments: tuple[str, ...], message: str) -> None:
    run("add", "ann")
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in str(result.exception)


@pytest.mark.parametrize("days", ["0", "366"])
def test_days_that_are_too_many_are_a_wrong_use(run: Run, days: str) -> None:
    run("add", "ann")
    result = run("token", "create", "ann", "--days", days)
    assert result.exit_code == 2
    assert "--days" in result.stderr


def test_a_token_is_shown_once_and_revoked(run: Run, home: Path) -> None:
    run("add", "ann", "--role", "launcher")
    made = run("token", "create", "ann", "--label", "nightly build")
    text = made.stdout.strip()
    assert made.stderr.startswith("This is token 1, good until ")
    assert "cannot be shown again" in made.stderr
    assert text not in made.stderr
    assert who(home, text) == Actor(name="ann", roles={None: Role.LAUNCHER}, via="token 1")
    listed = run("token", "list", "ann").output
    assert "nightly build" in listed
    assert "good" in listed
    assert text not in listed
    assert "ann is disabled." in run("disable", "ann").output
    assert "disabled" in run("list").output
    assert who(home, text) is None
    assert "ann is enabled." in run("enable", "ann").output
    assert who(home, text) is not None
    assert "Token 1 of ann lets nobody in any more." in run("token", "revoke", "ann", "1").output
    assert who(home, text) is None
    assert "revoked" in run("token", "list", "ann").output
