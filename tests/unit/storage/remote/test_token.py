"""Tokens: good for what they were signed for, for a time, and for nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import encode_msgpack
from penstock.ids import new_run_id
from penstock.records.run import Run
from penstock.records.wire import StorageAccess
from penstock.storage.remote.token import EvaluationScope, RunScope, TokenRefusedError, Tokens
from penstock.storage.sqlite import SqliteStorage

NOW = 1_700_000_000.0
SCOPE = RunScope(run_id=new_run_id(), attempt=2, location="shop", expires=NOW + 10)


@pytest.fixture(scope="module")
def storage() -> Iterator[SqliteStorage]:
    with_key = SqliteStorage(None)
    yield with_key
    with_key.close()


@pytest.fixture(scope="module")
def tokens(storage: SqliteStorage) -> Tokens:
    return Tokens(storage.locations)


def test_a_token_says_what_it_is_for(tokens: Tokens) -> None:
    evaluation = EvaluationScope(location="shop", expires=NOW + 1)
    assert tokens.verify(tokens.sign(SCOPE), now=NOW) == SCOPE
    assert tokens.verify(tokens.sign(evaluation), now=NOW) == evaluation
    run = Run(run_id=SCOPE.run_id, location="shop", job="nightly", attempt=2)
    assert tokens.scope_of_run(run, now=NOW) == RunScope(
        run_id=SCOPE.run_id, attempt=2, location="shop", expires=NOW + tokens.lifetime
    )


def test_any_server_on_the_storage_verifies_what_another_has_signed(storage: SqliteStorage, tokens: Tokens) -> None:
    assert Tokens(storage.locations).verify(tokens.sign(SCOPE), now=NOW) == SCOPE


def test_a_token_of_another_instance_is_refused(tokens: Tokens) -> None:
    other = SqliteStorage(None)
    with pytest.raises(TokenRefusedError, match="not signed for this instance"):
        tokens.verify(Tokens(other.locations).sign(SCOPE), now=NOW)
    other.close()


def test_a_token_is_over_at_its_time(tokens: Tokens) -> None:
    token = tokens.sign(SCOPE)
    assert tokens.verify(token, now=SCOPE.expires - 0.001) == SCOPE
    with pytest.raises(TokenRefusedError, match="has expired"):
        tokens.verify(token, now=SCOPE.expires)


def test_another_scope_under_the_same_signature_is_refused(tokens: Tokens) -> None:
    prefix, _, signature = tokens.sign(SCOPE).split(".")
    forged = RunScope(run_id=new_run_id(), attempt=2, location="shop", expires=NOW + 10)
    payload = base64.urlsafe_b64encode(encode_msgpack(forged)).rstrip(b"=").decode()
    with pytest.raises(TokenRefusedError, match="not signed for this instance"):
        tokens.verify(f"{prefix}.{payload}.{signature}", now=NOW)


@given(place=st.integers(min_value=0), character=st.characters())
def test_a_changed_token_is_refused(tokens: Tokens, place: int, character: str) -> None:
    token = tokens.sign(SCOPE)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(TokenRefusedError):
            tokens.verify(changed, now=NOW)


@given(st.one_of(st.text(), st.text().map(lambda text: f"pst1.{text}"), st.binary().map(lambda b: b.decode("latin-1"))))
def test_whatever_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    with pytest.raises(TokenRefusedError):
        tokens.verify(text, now=NOW)


def test_a_token_is_not_shown_by_accident() -> None:
    access = StorageAccess(address="unix:/a.sock", token="pst1.secret.secret")
    assert "secret" not in repr(access)
    assert "secret" not in f"{access}"
    assert "unix:/a.sock" in repr(access)
