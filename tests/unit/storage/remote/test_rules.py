"""The table of what tokens allow: a line for each method that there is, and each line as it is meant to be."""

from __future__ import annotations

import inspect

import pytest

from penstock.storage.archive import Archive
from penstock.storage.remote.calls import PARTS, SUBSCRIBE, call_named
from penstock.storage.remote.rules import RULES
from penstock.storage.upkeep import Upkeep

ALLOWED_TO_A_RUN = {
    "runs.get",
    "runs.page",
    "runs.count",
    "runs.take_over",
    "runs.renew",
    "runs.record",
    "runs.add_tags",
    "events.append",
    "events.of_run",
    "events.last_id",
    "events.step_stats",
    "assets.states",
    "assets.history",
    "assets.latest_materializations",
    "assets.partition_states",
    "assets.partition_statuses",
    "assets.planned",
    "assets.data_versions",
    "assets.partition_data_versions",
    "assets.check_states",
    "assets.check_history",
    "assets.report",
    "assets.dynamic_partitions",
    "assets.add_dynamic_partitions",
    "assets.delete_dynamic_partitions",
    "slots.claim",
}
WRITES_OF_AN_EVALUATION = {"assets.report", "assets.add_dynamic_partitions", "assets.delete_dynamic_partitions"}


def methods() -> set[str]:
    """Every public method of every part of a storage."""
    return {
        f"{part}.{name}"
        for part, protocol in PARTS.items()
        for name, member in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_")
    }


def test_there_is_a_rule_for_each_method_and_for_nothing_else() -> None:
    assert len(methods()) > 60
    assert set(RULES) == methods() - {SUBSCRIBE}
    assert all(call_named(name) is not None for name in RULES)


def test_what_a_run_may_do_was_decided() -> None:
    assert {name for name, rule in RULES.items() if not isinstance(rule.run, str)} == ALLOWED_TO_A_RUN


def test_an_evaluation_changes_nothing_but_what_user_code_may() -> None:
    allowed = {name for name, rule in RULES.items() if not isinstance(rule.evaluation, str)}
    assert {name for name in allowed if not RULES[name].reads} == WRITES_OF_AN_EVALUATION
    assert not {name for name in allowed if name.startswith(("leases.", "locations."))}


def test_no_token_reaches_accounts() -> None:
    of_accounts = [rule for name, rule in RULES.items() if name.startswith("accounts.")]
    assert of_accounts
    assert all(isinstance(rule.run, str) and isinstance(rule.evaluation, str) for rule in of_accounts)


def test_each_refusal_gives_its_reason() -> None:
    reasons = [each for rule in RULES.values() for each in (rule.run, rule.evaluation) if isinstance(each, str)]
    assert all(len(reason.split()) >= 4 for reason in reasons)


def test_what_only_the_storage_guards_is_fenced_there() -> None:
    assert {name for name, rule in RULES.items() if rule.self_guarded} == {"events.append", "slots.claim"}


def test_what_has_the_names_of_python_is_no_call() -> None:
    for name in ("runs.__class__", "runs._database", "runs.nothing", "migrate.x", "", ".", "notifier.subscribe"):
        assert call_named(name) is None


@pytest.mark.parametrize("part", [Archive, Upkeep])
def test_what_moves_and_tends_whole_databases_cannot_be_called(part: type) -> None:
    name = part.__name__.lower()
    methods = [each for each in vars(part) if not each.startswith("_")]
    assert methods
    assert [method for method in methods if call_named(f"{name}.{method}") is not None] == []
