"""Shares of work: even, whole, and nothing that another daemon holds."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.shares import Shares, share_out
from penstock.records.lease import Lease

NOW = 1000.0
PARTS = tuple(f"sensors/{index}" for index in range(8))


def held(holders: dict[str, str], until: float = NOW + 4) -> dict[str, Lease]:
    return {name: Lease(name=name, holder=holder, epoch=1, until=until) for name, holder in holders.items()}


def test_a_daemon_that_is_alone_takes_everything() -> None:
    assert share_out(PARTS, {}, me="a", others=(), now=NOW) == Shares(take=PARTS)


def test_daemons_that_start_together_reach_for_different_parts() -> None:
    taken = [share_out(PARTS, {}, me=me, others={"a", "b", "c"}, now=NOW).take for me in "abc"]
    assert [len(each) for each in taken] == [3, 3, 3]
    assert set().union(*taken) == set(PARTS)


def test_what_is_beyond_the_share_is_given_up_when_another_comes() -> None:
    shares = share_out(PARTS, held(dict.fromkeys(PARTS, "a")), me="a", others={"b"}, now=NOW)
    assert shares == Shares(give=PARTS[4:])


def test_the_parts_of_a_dead_daemon_are_free_when_their_time_is_over() -> None:
    leases = held(dict.fromkeys(PARTS, "dead"), until=NOW)
    assert share_out(PARTS, leases, me="a", others=(), now=NOW).take == PARTS
    assert share_out(PARTS, leases, me="a", others=(), now=NOW - 0.1) == Shares()


def test_parts_held_until_long_after_the_clock_was_set_back_are_free() -> None:
    leases = held(dict.fromkeys(PARTS, "dead"), until=NOW + 3600)
    assert share_out(PARTS, leases, me="a", others=(), now=NOW, beyond=NOW + 40).take == PARTS


@given(
    parts=st.integers(1, 20),
    daemons=st.lists(st.sampled_from("abcdef"), min_size=1, unique=True),
    holders=st.data(),
)
def test_looks_in_any_order_end_in_even_shares_that_cover_everything(
    parts: int, daemons: list[str], holders: st.DataObject
) -> None:
    names = tuple(f"p/{index}" for index in range(parts))
    owner: dict[str, str] = {}
    for name in names:  # any beginning: held by a living one, by a dead one whose time is over, or free
        drawn = holders.draw(st.sampled_from([*daemons, None]))
        if drawn is not None:
            owner[name] = drawn
    for _ in range(3):
        for me in holders.draw(st.permutations(daemons)):
            shares = share_out(names, held(owner), me=me, others=set(daemons) - {me}, now=NOW)
            assert all(owner.get(name) == me for name in shares.give)
            assert not any(name in owner for name in shares.take)
            for name in shares.give:
                del owner[name]
            owner.update(dict.fromkeys(shares.take, me))
    assert set(owner) == set(names)
    assert max(Counter(owner.values()).values()) <= -(-parts // len(daemons))
