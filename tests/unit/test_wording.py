"""The words that messages share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wording import did_you_mean, joined, kind_of, listed, nearest_name, shown, with_article


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
