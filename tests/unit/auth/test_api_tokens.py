"""A token speaks for its account for as long as both are good, with the roles that the account has then."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from penstock.auth.accounts import new_account
from penstock.auth.api_tokens import MOST_DAYS, actor_behind, is_well_formed, lets_in, new_token
from penstock.auth.permissions import Actor
from penstock.errors import NotFoundError, UsageError
from penstock.records.account import Account, ApiToken, Role
from penstock.storage.protocols import USE_SECONDS, AccountStorage
from penstock.storage.sqlite import SqliteStorage

NOW = 1_000_000.0
DAY = 86_400.0


@pytest.fixture
def accounts() -> Iterator[AccountStorage]:
    storage = SqliteStorage(None)
    new_account(storage.accounts, "ann", Role.EDITOR, now=NOW)
    yield storage.accounts
    storage.close()


@pytest.mark.parametrize("name", ["ann@example.com", "A", "ci-1.deploy_er+x", "9" * 100])
def test_what_may_be_a_name(accounts: AccountStorage, name: str) -> None:
    assert new_account(accounts, name, Role.VIEWER, now=NOW) in accounts.all()


@pytest.mark.parametrize("name", ["", " ann", "ann ", "-ann", "ann\n", "a/b", "é", "9" * 101])
def test_what_may_not(accounts: AccountStorage, name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be the name of an account: it has 1 to 100"):
        new_account(accounts, name, Role.VIEWER, now=NOW)


def test_a_name_that_is_taken_is_refused(accounts: AccountStorage) -> None:
    with pytest.raises(UsageError, match=r"There is an account 'ann' already; .*penstock account set-role ann admin"):
        new_account(accounts, "ann", Role.ADMIN, now=NOW)


def test_a_text_is_unlike_every_other_and_not_stored(accounts: AccountStorage) -> None:
    text, made = new_token(accounts, "ann", label="ci", now=NOW)
    other, _ = new_token(accounts, "ann", now=NOW)
    assert re.fullmatch(r"pst_[0-9a-f]{72}", text)
    assert text != other
    assert text[4:] not in repr(accounts.tokens("ann"))
    assert (made.label, made.expires) == ("ci", NOW + 90 * DAY)


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
def test_a_token_is_good_for_a_year_at_most(accounts: AccountStorage, days: int) -> None:
    with pytest.raises(UsageError, match=rf"1 to 365 days, not for {days}"):
        new_token(accounts, "ann", days=days, now=NOW)
    assert accounts.tokens("ann") == []


def test_nobody_has_tokens_without_an_account(accounts: AccountStorage) -> None:
    with pytest.raises(NotFoundError, match="There is no account 'eve'; `penstock account list`"):
        new_token(accounts, "eve", now=NOW)


def test_a_text_with_a_slip_in_it_is_known_as_such(accounts: AccountStorage) -> None:
    text, _ = new_token(accounts, "ann", now=NOW)
    assert is_well_formed(text)
    for place in range(len(text)):
        slip = "0" if text[place] != "0" else "1"
        assert not is_well_formed(f"{text[:place]}{slip}{text[place + 1 :]}")
    for wrong in ("", "pst_", text[:-1], f"{text}0", text.upper(), f" {text}", f"{text}\n"):
        assert not is_well_formed(wrong)


@pytest.mark.parametrize(
    ("disabled", "revoked", "now", "expected"),
    [
        (False, None, NOW, True),
        (False, None, NOW + DAY - 1, True),
        (False, None, NOW + DAY, False),
        (False, NOW - 1, NOW, False),
        (True, None, NOW, False),
    ],
)
def test_when_a_token_lets_in(disabled: bool, revoked: float | None, now: float, expected: bool) -> None:
    holder = Account(name="ann", role=Role.ADMIN, disabled=disabled)
    held = ApiToken(id=1, account="ann", digest="d", label="", created=NOW, expires=NOW + DAY, revoked=revoked)
    assert lets_in(holder, held, now=now) is expected


def test_the_actor_has_the_roles_that_the_account_has_now(accounts: AccountStorage) -> None:
    text, _ = new_token(accounts, "ann", now=NOW)
    assert actor_behind(accounts, text, now=NOW) == Actor(name="ann", roles={None: Role.EDITOR}, via="token 1")
    accounts.set_role("ann", Role.VIEWER)
    accounts.set_role("ann", Role.ADMIN, location="shop")
    assert actor_behind(accounts, text, now=NOW) == Actor(
        name="ann", roles={None: Role.VIEWER, "shop": Role.ADMIN}, via="token 1"
    )


def test_nobody_is_behind_a_token_that_is_not_good(accounts: AccountStorage) -> None:
    text, made = new_token(accounts, "ann", now=NOW)
    new_account(accounts, "bob", Role.ADMIN, now=NOW)
    elsewhere, _ = new_token(accounts, "bob", now=NOW)
    accounts.remove("bob")
    assert actor_behind(accounts, elsewhere, now=NOW) is None
    assert actor_behind(accounts, "", now=NOW) is None
    assert actor_behind(accounts, text, now=made.expires) is None
    accounts.revoke_token("ann", made.id, now=NOW)
    assert actor_behind(accounts, text, now=NOW) is None


def test_a_use_is_written_down_once_a_minute(accounts: AccountStorage) -> None:
    text, _ = new_token(accounts, "ann", now=NOW)
    seen = []
    for now in (NOW + 1, NOW + USE_SECONDS, NOW + 1 + USE_SECONDS):
        actor_behind(accounts, text, now=now)
        seen.append(accounts.tokens("ann")[0].last_used)
    assert seen == [NOW + 1, NOW + 1, NOW + 1 + USE_SECONDS]
