"""Batched look-ups for the length of one request: the first value asked for fetches all that were announced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Generic, TypeVar

__all__ = ["Loader", "NewestLoader"]

K = TypeVar("K")
V = TypeVar("V")


class Loader(Generic[K, V]):
    """Values by key, fetched together.

    Whoever answers with a list announces the keys that its items may ask for (`expect`); so a page of a thousand items
    costs one fetch, and none when no item asks.

    Args:
        fetch: Gives the values of keys; a key that it leaves out has none.
    """

    def __init__(self, fetch: Callable[[list[K]], Mapping[K, V]]) -> None:
        self._fetch = fetch
        self._announced: list[K] = []
        self._values: dict[K, V | None] = {}

    def expect(self, keys: Iterable[K]) -> None:
        """Announce keys that may be asked for soon; it costs little where none is."""
        self._announced += keys

    def put(self, key: K, value: V) -> None:
        """A value that is known already."""
        self._values[key] = value

    def knows(self, key: K) -> bool:
        """Whether it has been looked up already."""
        return key in self._values

    def known(self) -> list[V]:
        """The values found so far."""
        return [value for value in self._values.values() if value is not None]

    def get(self, key: K) -> V | None:
        """The value of a key; None if it has none."""
        if key not in self._values:
            wanted = [each for each in dict.fromkeys([*self._announced, key]) if each not in self._values]
            self._announced.clear()
            found = self._fetch(wanted)
            for each in wanted:
                self._values[each] = found.get(each)
        return self._values[key]


class NewestLoader(Generic[K, V]):
    """The newest things of each of many, fetched together for all who want the same number of them.

    Args:
        fetch: Gives the newest of keys, so many of each; a key that it leaves out has none.
    """

    def __init__(self, fetch: Callable[[list[K], int], Mapping[K, list[V]]]) -> None:
        self._fetch = fetch
        self._announced: dict[K, None] = {}
        self._by_number: dict[int, Loader[K, list[V]]] = {}

    def expect(self, keys: Iterable[K]) -> None:
        """Announce keys whose newest may be asked for soon."""
        new = [key for key in keys if key not in self._announced]
        self._announced.update(dict.fromkeys(new))
        for loader in self._by_number.values():
            loader.expect(new)

    def get(self, key: K, number: int) -> list[V]:
        """The newest of a key, at most so many."""
        loader = self._by_number.get(number)
        if loader is None:
            loader = self._by_number[number] = Loader(partial(self._fetch_number, number))
            loader.expect(self._announced)
        return loader.get(key) or []

    def _fetch_number(self, number: int, keys: list[K]) -> Mapping[K, list[V]]:
        return self._fetch(keys, number)
