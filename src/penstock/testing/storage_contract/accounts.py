"""Accounts and their API tokens."""

from __future__ import annotations

import msgspec

from ...records.account import Account, ApiToken, Role
from ...storage.protocols import USE_SECONDS, Storage
from .builders import NOW

__all__ = ["AccountContract"]

ANN = Account(name="ann", role=Role.EDITOR, locations={"shop": Role.ADMIN}, created=NOW)
BOB = Account(name="bob", role=Role.VIEWER, created=NOW + 1)


def _token(storage: Storage, account: str, digest: str, *, now: float = NOW) -> ApiToken:
    made = storage.accounts.add_token(account, digest, "for tests", now=now, expires=now + 100)
    assert made is not None
    return made


class AccountContract:
    """`AccountStorage`."""

    def test_accounts_come_back_as_they_were_given_by_name(self, storage: Storage) -> None:
        assert storage.accounts.all() == []
        assert storage.accounts.add(BOB)
        assert storage.accounts.add(ANN)
        assert storage.accounts.all() == [ANN, BOB]

    def test_a_name_is_given_once(self, storage: Storage) -> None:
        storage.accounts.add(ANN)
        assert not storage.accounts.add(msgspec.structs.replace(BOB, name="ann"))
        assert storage.accounts.all() == [ANN]

    def test_roles_are_set_in_general_and_in_single_locations(self, storage: Storage) -> None:
        storage.accounts.add(ANN)
        storage.accounts.add(BOB)
        assert storage.accounts.set_role("ann", Role.LAUNCHER)
        assert storage.accounts.set_role("ann", Role.EDITOR, location="shop")
        assert storage.accounts.set_role("ann", Role.VIEWER, location="bank: Zürich")
        ann, bob = storage.accounts.all()
        assert (ann.role, ann.locations) == (Role.LAUNCHER, {"shop": Role.EDITOR, "bank: Zürich": Role.VIEWER})
        assert bob == BOB
        assert storage.accounts.unset_role("ann", "shop")
        assert not storage.accounts.unset_role("ann", "shop")
        assert storage.accounts.all()[0].locations == {"bank: Zürich": Role.VIEWER}
        assert not storage.accounts.set_role("eve", Role.ADMIN)
        assert not storage.accounts.set_role("eve", Role.ADMIN, location="shop")
        assert not storage.accounts.unset_role("eve", "shop")

    def test_a_token_is_found_by_its_digest_with_its_account_as_it_is_now(self, storage: Storage) -> None:
        storage.accounts.add(ANN)
        made = _token(storage, "ann", "d1")
        assert (made.account, made.label, made.created, made.expires) == ("ann", "for tests", NOW, NOW + 100)
        assert (made.last_used, made.revoked) == (None, None)
        assert storage.accounts.find("d1") == (ANN, made)
        assert storage.accounts.find("d2") is None
        assert storage.accounts.set_disabled("ann", True)
        storage.accounts.set_role("ann", Role.VIEWER)
        disabled = msgspec.structs.replace(ANN, role=Role.VIEWER, disabled=True)
        assert storage.accounts.find("d1") == (disabled, made)
        assert storage.accounts.set_disabled("ann", False)
        assert storage.accounts.all() == [msgspec.structs.replace(disabled, disabled=False)]
        assert not storage.accounts.set_disabled("eve", True)

    def test_tokens_are_listed_and_revoked_by_account(self, storage: Storage) -> None:
        storage.accounts.add(ANN)
        storage.accounts.add(BOB)
        first, second = _token(storage, "ann", "d1"), _token(storage, "ann", "d2", now=NOW + 1)
        other = _token(storage, "bob", "d3")
        assert storage.accounts.tokens("ann") == [first, second]
        assert not storage.accounts.revoke_token("bob", first.id, now=NOW + 5)
        assert storage.accounts.revoke_token("ann", first.id, now=NOW + 5)
        assert not storage.accounts.revoke_token("ann", first.id, now=NOW + 6)
        revoked = msgspec.structs.replace(first, revoked=NOW + 5)
        assert storage.accounts.tokens("ann") == [revoked, second]
        assert storage.accounts.find("d1") == (ANN, revoked)
        assert storage.accounts.tokens("bob") == [other]

    def test_nobody_has_tokens_without_an_account(self, storage: Storage) -> None:
        assert storage.accounts.add_token("eve", "d1", "", now=NOW, expires=NOW + 100) is None
        assert storage.accounts.find("d1") is None
        assert storage.accounts.tokens("eve") == []

    def test_an_account_that_is_removed_takes_its_tokens_along(self, storage: Storage) -> None:
        storage.accounts.add(ANN)
        storage.accounts.add(BOB)
        _token(storage, "ann", "d1")
        kept = _token(storage, "bob", "d2")
        assert storage.accounts.remove("ann")
        assert not storage.accounts.remove("ann")
        assert storage.accounts.find("d1") is None
        storage.accounts.add(ANN)
        assert storage.accounts.tokens("ann") == []
        assert storage.accounts.find("d2") == (BOB, kept)

    def test_uses_are_written_down_once_a_minute(self, storage: Storage) -> None:
        storage.accounts.add(ANN)
        number = _token(storage, "ann", "d1").id
        seen = []
        for now in (NOW + 1, NOW + USE_SECONDS, NOW + 1 + USE_SECONDS):
            storage.accounts.used(number, now=now)
            seen.append(storage.accounts.tokens("ann")[0].last_used)
        assert seen == [NOW + 1, NOW + 1, NOW + 1 + USE_SECONDS]
