"""Ids sort by the time they were made and are recognized."""

from __future__ import annotations

import uuid

import pytest

from penstock.ids import created_at, is_run_id, least_run_id, new_holder_id, new_run_id, run_id_derived_from

_RUN_ID = "01a20755-1f72-730b-9552-9a78c64632ce"


def test_run_ids_rise_and_are_version_7() -> None:
    made = [new_run_id() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in made} == {(7, uuid.RFC_4122)}
    assert all(map(is_run_id, made))


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "A" * 36, _RUN_ID.upper(), _RUN_ID + "\n"])
def test_other_texts_are_no_run_ids(text: str) -> None:
    assert not is_run_id(text)


def test_holders_of_one_process_differ() -> None:
    assert new_holder_id("daemon") != new_holder_id("daemon")
    assert new_holder_id("daemon").startswith("daemon-")


def test_the_least_id_of_a_time_stands_between_those_before_and_those_after() -> None:
    assert run_id_derived_from("a", 999.999) < least_run_id(1000.0) <= run_id_derived_from("b", 1000.0)
    assert created_at(least_run_id(1000.0)) == 1000.0
    assert is_run_id(least_run_id(-5.0))
    assert least_run_id(-5.0) < least_run_id(1.0) < least_run_id(1e300)
