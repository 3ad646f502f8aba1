"""Conditions as people write them and as descriptions carry them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from penstock.codec import decode_json, encode_json
from penstock.errors import DefinitionError
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.conditions.nodes import And, ConditionRecord, Or

A = AutomationCondition
W: Any = AutomationCondition  # for what a type checker would refuse

EVERY = [
    A.missing(),
    A.newly_missing(),
    A.in_progress(),
    A.run_in_progress(),
    A.backfill_in_progress(),
    A.execution_failed(),
    A.code_version_changed(),
    A.data_version_changed(),
    A.newly_updated(),
    A.newly_requested(),
    A.will_be_requested(),
    A.initial_evaluation(),
    A.in_latest_time_window(timedelta(days=2)),
    A.cron_tick_passed("0 * * * *", "Europe/Berlin"),
    A.executed_with_root_target(),
    A.executed_with_tags(tag_keys={"b", "a"}, tag_values={"c": "d"}),
    A.any_new_update_has_run_tags(tag_keys={"a"}),
    A.all_new_updates_have_run_tags(tag_keys={"a"}),
    A.check_passed(),
    A.check_failed(),
    A.freshness_passed(),
    A.freshness_warned(),
    A.freshness_failed(),
    A.any_deps_match(A.missing()),
    A.all_deps_match(A.missing()),
    A.any_deps_missing(),
    A.any_deps_in_progress(),
    A.any_deps_updated(),
    A.all_deps_updated_since_cron("@daily"),
    A.all_deps_blocking_checks_passed(),
    A.any_checks_match(A.check_failed(), blocking_only=True),
    A.all_checks_match(A.check_passed()),
    A.asset_matches("other", A.missing()),
    A.any_downstream_conditions(),
    A.any_job_root_assets_match(A.missing()),
    A.all_job_root_assets_match(A.missing()),
    A.eager(),
    A.on_cron("@daily"),
    A.on_missing(),
    (A.missing() | ~A.in_progress()).newly_true().since(A.initial_evaluation()).with_label("mine"),
]


@pytest.mark.parametrize("condition", EVERY, ids=lambda each: each.words)
def test_a_description_carries_it(condition: Any) -> None:
    read: Any = decode_json(encode_json(condition), ConditionRecord)  # type: ignore[arg-type]  # a union is a type to read
    assert read == condition
    assert hash(read) == hash(condition)
    assert read.words == condition.words != ""


def test_chains_without_a_name_are_one() -> None:
    one, two, three = A.missing(), A.newly_updated(), A.execution_failed()
    assert (one & two & three).operands == (one, two, three)
    assert ((one & two) & (two & three)).operands == (one, two, two, three)
    named = (one | two).with_label("either")
    assert (named | three).operands == (named, three)
    assert isinstance(one & (two | three), And)


def test_parts_are_replaced_by_equality_label_or_name() -> None:
    new = A.missing().with_label("new")
    assert A.eager().replace(A.newly_updated(), new) == A.eager().replace("newly_updated", new) != A.eager()
    assert A.missing().replace(A.missing(), new) == new
    without_reset = A.on_missing().replace("handled", A.newly_requested())
    assert "initial_evaluation" not in [each.words for each in without_reset.walk()]
    assert A.eager().replace("unknown", new) == A.eager()


def test_an_operand_is_left_out() -> None:
    shorter = A.eager().without(~A.any_deps_missing())
    assert len(shorter.operands) == len(A.eager().operands) - 1
    assert shorter.label == "eager"
    with pytest.raises(DefinitionError, match="eager has no operand missing"):
        A.eager().without(A.missing())


def test_selections_reach_every_part_that_looks_at_others() -> None:
    texts = [each.words for each in A.eager().allow("one").ignore("two").walk() if "deps" in each.words]
    assert len(texts) == 3
    looking = [each for each in A.eager().ignore("two").walk() if getattr(each, "ignored", None) is not None]
    assert len(looking) == 3
    assert A.any_deps_match(A.missing()).ignore("two").words == "ANY_DEPS_MATCH(ignore two)"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: W.missing() & 3, "& takes a condition, not 3"),
        (lambda: W.missing() | None, "| takes a condition"),
        (lambda: W.missing().since("x"), "since takes a condition"),
        (lambda: W.any_deps_match(W.missing), "any_deps_match takes a condition"),
        (lambda: W.cron_tick_passed("bad"), "bad"),
        (lambda: W.on_cron("@daily", "No/Zone"), "No/Zone"),
        (lambda: W.in_latest_time_window(3), "datetime.timedelta"),
        (lambda: W.missing().replace("missing", 3), "replace takes a condition"),
    ],
)
def test_what_is_no_condition_is_refused(make: Any, match: str) -> None:
    with pytest.raises(DefinitionError, match=match.replace("|", r"\|")):
        make()


def test_a_condition_of_one_s_own_combines_with_others() -> None:
    class Own(AutomationCondition[str]):  # type: ignore[type-arg]  # as people write it
        pass

    own = Own()
    combined = own | A.missing()
    assert isinstance(combined, Or)
    assert combined.operands[0] is own
    assert own.words == "Own"
    assert combined.replace(own, A.newly_updated()) == A.newly_updated() | A.missing()
