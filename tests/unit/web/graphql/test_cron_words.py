"""Cron texts in plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.web.graphql.cron_words import cron_in_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("0 * * * *", "Every hour"),
        ("@hourly", "Every hour"),
        ("15,45 * * * *", "At 15 and 45 minutes past every hour"),
        ("1 * * * *", "At 1 minute past every hour"),
        ("0 */6 * * *", "Every 6 hours"),
        ("30 */6 * * *", "Every 6 hours at minute 30"),
        ("0 0 * * *", "At 00:00"),
        ("30 2 * * 1-5", "At 02:30, from Monday to Friday"),
        ("0 9 * * 1", "At 09:00, on Monday"),
        ("0 9 * * 0,6", "At 09:00, on Sunday and Saturday"),
        ("0 8,20 * * *", "At 08:00 and 20:00"),
        ("0 0 1 * *", "At 00:00, on day 1 of the month"),
        ("0 0 1 1,7 *", "At 00:00, on day 1 of the month, in January and July"),
        ("0 0 13 * 5", "At 00:00, on day 13 of the month or on Friday"),
        ("* 9 * * *", "Every minute of the hours 09"),
        ("1,2,3,4,5 1,2,3 * * *", "1,2,3,4,5 1,2,3 * * *"),
        ("no cron", "no cron"),
    ],
)
def test_patterns(text: str, words: str) -> None:
    assert cron_in_words([text]) == words


def test_several_texts_are_joined() -> None:
    assert cron_in_words(["0 1 * * *", "@hourly"]) == "At 01:00; Every hour"


@given(
    st.lists(st.integers(0, 59), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 6), min_size=1, unique=True),
)
def test_every_text_has_words(minutes: list[int], hours: list[int], weekdays: list[int]) -> None:
    text = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * {','.join(map(str, weekdays))}"
    assert cron_in_words([text])
