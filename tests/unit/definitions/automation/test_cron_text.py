"""What reads as a cron text: whatever is refused here, the reader of cron texts refuses too, and hardly more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.definitions.automation.cron_text import check_cron_text
from penstock.engine.cron import parse
from penstock.errors import DefinitionError


def _is_refused(read: object, *args: object) -> bool:
    try:
        read(*args)  # type: ignore[operator]
    except DefinitionError:
        return True
    return False


_item = st.one_of(
    st.just("*"),
    st.integers(0, 65).map(str),
    st.tuples(st.integers(0, 32), st.integers(0, 65)).map(lambda ends: f"{ends[0]}-{ends[1]}"),
    st.tuples(st.sampled_from(["*", "0-59", "1-5", "7"]), st.integers(0, 70)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    st.sampled_from(["jan", "MON", "sun-sat", "x", "", "-", "1-", "*/", "1/2/3"]),
)
_field = st.lists(_item, min_size=1, max_size=2).map(",".join)


@given(st.one_of(st.lists(_field, min_size=4, max_size=6).map(" ".join), st.text(max_size=12), st.just("@daily")))
def test_what_is_refused_here_is_refused_there(text: str) -> None:
    refused_there = _is_refused(parse, text)
    if _is_refused(check_cron_text, text, "Schedule"):
        assert refused_there


@pytest.mark.parametrize(
    "text", ["* * * * *", "*/5 0-6,22 1,15 jan-mar MON", " 0 6 * * * ", "@hourly", "59 23 31 12 7"]
)
def test_cron_texts_pass(text: str) -> None:
    assert check_cron_text(text, "Schedule") == text
    assert not _is_refused(parse, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("60 * * * *", "whose minute '60' cannot be read; use 0 to 59"),
        ("* 24 * * *", "whose hour '24'"),
        ("* * 0 * *", "whose day of month '0'"),
        ("* * * 13 *", "whose month '13'"),
        ("* * * * 8", "whose day of week '8'"),
        ("*/0 * * * *", "whose minute"),
        ("* * * *", "give five fields"),
        ("@fortnightly", "give five fields"),
        (None, "give a text"),
    ],
)
def test_the_field_that_is_wrong_is_named(text: object, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        check_cron_text(text, "Schedule")
