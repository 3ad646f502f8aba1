"""What was announced is fetched with the first value asked for, once."""

from __future__ import annotations

from penstock.web.graphql.loader import Loader, NewestLoader


class Source:
    """Gives each key doubled, but for odd ones, and notes what it was asked."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def fetch(self, keys: list[int]) -> dict[int, int]:
        self.calls.append(keys)
        return {key: 2 * key for key in keys if key % 2 == 0}


def test_one_fetch_for_all_that_was_announced() -> None:
    source = Source()
    loader = Loader(source.fetch)
    loader.expect([2, 4, 6, 4])
    assert source.calls == []
    assert [loader.get(key) for key in (4, 2, 6, 4)] == [8, 4, 12, 8]
    assert source.calls == [[2, 4, 6]]


def test_a_key_that_nobody_announced_is_fetched_all_the_same() -> None:
    source = Source()
    loader = Loader(source.fetch)
    assert loader.get(8) == 16
    assert source.calls == [[8]]


def test_a_key_without_a_value_is_asked_for_once() -> None:
    source = Source()
    loader = Loader(source.fetch)
    assert loader.get(3) is None
    assert loader.get(3) is None
    assert source.calls == [[3]]
    assert loader.knows(3)
    assert loader.known() == []


def test_a_value_at_hand_is_not_fetched() -> None:
    source = Source()
    loader = Loader(source.fetch)
    loader.put(10, 1)
    loader.expect([10, 12])
    assert loader.get(10) == 1
    assert source.calls == []
    assert loader.get(12) == 24
    assert source.calls == [[12]]


def test_the_newest_of_all_that_were_announced_are_fetched_together() -> None:
    fetched: list[tuple[list[str], int]] = []

    def fetch(keys: list[str], number: int) -> dict[str, list[str]]:
        fetched.append((keys, number))
        return {key: [f"{key}{each}" for each in range(number)] for key in keys if key != "none"}

    loader = NewestLoader(fetch)
    loader.expect(["a", "b"])
    assert loader.get("a", 2) == ["a0", "a1"]
    loader.expect(["b", "c", "none"])
    assert loader.get("b", 2) == ["b0", "b1"]
    assert fetched == [(["a", "b"], 2)]
    assert loader.get("c", 2) == ["c0", "c1"]
    assert loader.get("none", 2) == []
    assert loader.get("c", 1) == ["c0"]
    assert fetched[1:] == [(["c", "none"], 2), (["a", "b", "c", "none"], 1)]
