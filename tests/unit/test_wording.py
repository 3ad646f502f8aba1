"""The words that messages share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wording import (
    did_you_mean,
    joined,
    kind_of,
    length_of_time,
    listed,
    nearest_name,
    shown,
    size_of,
    with_article,
)


@pytest.mark.parametrize(
    ("noun", "words"), [("int", "an int"), ("str", "a str"), ("Output", "an Output"), ("user", "a user"), ("", "a ")]
)
def test_an_article_fits_its_noun(noun: str, words: str) -> None:
    assert with_article(noun) == words


def test_a_value_is_told_by_its_type_and_its_text_where_that_is_short() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no text")

    assert (kind_of(3), kind_of(None)) == ("an int", "None")
    assert (shown(3), shown(None)) == ("an int (3)", "None")
    assert shown("x" * 100) == "a str"
    assert shown(Broken()).startswith("a test_a_value")


def test_lists_read_as_sentences() -> None:
    assert listed([], "or") == "nothing"
    assert listed(["a"], "or") == '"a"'
    assert listed("abc", "or") == '"a", "b" or "c"'
    assert joined([str(number) for number in range(50)], "and").endswith("19 and 30 more")


def test_what_was_probably_meant_is_named_or_else_what_there_is() -> None:
    assert did_you_mean("Ordes", ["orders", "x"]) == '; did you mean "orders"?'
    assert did_you_mean("q", ["orders", "a"]) == '; there are "a" and "orders".'
    assert did_you_mean("q", ["orders"]) == '; there is "orders".'
    assert did_you_mean("q", []) == "; there are none."


@given(st.text(), st.lists(st.text(max_size=10)))
def test_a_near_name_is_one_of_those_known(name: str, known: list[str]) -> None:
    assert nearest_name(name, known) in {*known, None}


def test_a_very_long_name_is_not_compared() -> None:
    assert nearest_name("a" * 101, ["a" * 100]) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 days")]
)
def test_a_length_of_time_is_said_in_the_largest_unit_that_is_told_twice(seconds: float, words: str) -> None:
    assert length_of_time(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (3 << 29, "1.5 GiB")]
)
def test_a_size_is_said_in_the_unit_that_fits(count: int, words: str) -> None:
    assert size_of(count) == words
