"""What the table of compatibility says is so: nothing of the surface is missing without a word about it."""

from __future__ import annotations

import re

import pytest

from penstock.compat.differences import DIFFERENT, LEFT_OUT, NOT_CONSTRUCTED
from support.compatibility import Entry, gaps, surface

ENTRIES = {entry.name: entry for entry in surface()}


@pytest.mark.parametrize("entry", surface(), ids=lambda entry: entry.name)
def test_each_gap_is_explained(entry: Entry) -> None:
    unexplained = [gap for gap in gaps(entry) if gap not in DIFFERENT and gap not in LEFT_OUT]
    assert unexplained == []


def test_no_name_of_tiers_1_and_2_is_left_out() -> None:
    assert [name for name in LEFT_OUT if ENTRIES[name].tier < 3] == []


def test_nothing_is_explained_that_is_not_so() -> None:
    there = [name for name in LEFT_OUT if ENTRIES[name].value is not None]
    unknown = [key for key in (*DIFFERENT, *NOT_CONSTRUCTED) if re.split(r"[.(]", key)[0] not in ENTRIES]
    needless = [
        key for key in DIFFERENT if not key.isidentifier() and key not in gaps(ENTRIES[key.split("(")[0].split(".")[0]])
    ]
    assert (there, unknown, needless) == ([], [], [])
