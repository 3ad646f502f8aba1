"""What the methods of a storage tell of what they change, as acts of whoever acts just now; see `acting.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..records.account import Role
from ..records.act import (
    Act,
    ActKind,
    account_subject,
    asset_subject,
    backfill_subject,
    partitions_subject,
    pool_subject,
    run_subject,
)
from ..records.backfill import Backfill
from ..records.event import AssetFact, AssetWiped, Fact, RunCanceled, RunCanceling
from ..records.run import Run, RunStatus
from .acting import act_of, is_anybody_acting

__all__ = [
    "added_partitions",
    "asked_for_backfill",
    "canceled_run",
    "changed_backfill",
    "deleted_backfill",
    "deleted_run",
    "freed_slots",
    "gave_role",
    "launched_runs",
    "removed_partitions",
    "reported_facts",
    "set_limit",
    "token_in_words",
    "turned_account",
]

_MOST_NAMED = 5

Acts = Sequence[Act]


def launched_runs(runs: Iterable[Run]) -> Acts:
    """Runs were made."""
    if not is_anybody_acting():
        return ()
    return [act for run in runs for act in act_of(ActKind.LAUNCH_RUN, run_subject(run.run_id), after=_run(run))]


def canceled_run(run: Run, facts: Iterable[Fact]) -> Acts:
    """Facts were stored about a run, as it was before: that it is to stop, perhaps."""
    for fact in facts:
        if isinstance(fact, RunCanceling) or (isinstance(fact, RunCanceled) and run.status is not RunStatus.CANCELING):
            return act_of(ActKind.CANCEL_RUN, run_subject(run.run_id), before=f"{_run(run)}, {run.status}")
    return ()


def deleted_run(run: Run) -> Acts:
    """A run was deleted."""
    return act_of(ActKind.DELETE_RUN, run_subject(run.run_id), before=f"{_run(run)}, {run.status}")


def asked_for_backfill(backfill: Backfill) -> Acts:
    """A backfill was asked for."""
    of = f"the job {backfill.job}" if backfill.job else f"{backfill.asset_count} assets"
    again = f", repeats {backfill.parent}" if backfill.parent else ""
    words = f"{of}, {backfill.partition_count} partitions{again}"
    return act_of(ActKind.LAUNCH_BACKFILL, backfill_subject(backfill.backfill_id), after=words)


def changed_backfill(before: Backfill, after: Backfill) -> Acts:
    """Somebody wants something else of a backfill."""
    was, is_ = _standing(before), _standing(after)
    changed = [field for field in was if was[field] != is_[field]]
    return act_of(
        ActKind.CHANGE_BACKFILL,
        backfill_subject(before.backfill_id),
        before=", ".join(was[field] for field in changed),
        after=", ".join(is_[field] for field in changed),
    )


def deleted_backfill(backfill_id: str) -> Acts:
    """A backfill was deleted."""
    return act_of(ActKind.DELETE_BACKFILL, backfill_subject(backfill_id))


def reported_facts(facts: Iterable[AssetFact]) -> Acts:
    """Facts about assets were stored that no run told."""
    told: list[Act] = []
    for fact in facts:
        if isinstance(fact, AssetWiped):
            words = None if fact.partitions is None else _keys(fact.partitions)
            told += act_of(ActKind.WIPE_ASSET, asset_subject(fact.asset), before=words)
        else:
            words = str(type(fact).__struct_config__.tag)
            told += act_of(ActKind.REPORT_EVENT, asset_subject(fact.asset), after=words)
    return told


def added_partitions(name: str, keys: Sequence[str]) -> Acts:
    """Keys that are new were added to a dynamic partition set."""
    return act_of(ActKind.ADD_PARTITIONS, partitions_subject(name), after=_keys(keys)) if keys else ()


def removed_partitions(name: str, keys: Sequence[str]) -> Acts:
    """Keys were removed from a dynamic partition set."""
    return act_of(ActKind.REMOVE_PARTITIONS, partitions_subject(name), before=_keys(keys)) if keys else ()


def set_limit(pool: str, before: int | None, after: int | None) -> Acts:
    """A pool has another limit, or (None) none of its own."""
    if before == after:
        return ()
    kind = ActKind.REMOVE_LIMIT if after is None else ActKind.SET_LIMIT
    return act_of(kind, pool_subject(pool), before=_slots(before), after=_slots(after))


def freed_slots(run_id: str, step_key: str | None, number: int) -> Acts:
    """Slots were taken away from a run, or from one of its steps."""
    of = "" if step_key is None else f" of {step_key}"
    return act_of(ActKind.FREE_SLOTS, run_subject(run_id), before=f"{_slots(number)}{of}") if number else ()


def gave_role(name: str, location: str | None, before: Role | None, after: Role | None) -> Acts:
    """An account has another role, in general or in a code location; None where the general one holds."""
    where = "" if location is None else f" in {location}"
    words = [None if role is None else f"{role}{where}" for role in (before, after)]
    return act_of(ActKind.SET_ROLE, account_subject(name), before=words[0], after=words[1])


def turned_account(name: str, *, disabled: bool) -> Acts:
    """An account was disabled or enabled."""
    return act_of(ActKind.DISABLE_ACCOUNT if disabled else ActKind.ENABLE_ACCOUNT, account_subject(name))


def token_in_words(number: int, label: str = "") -> str:
    """How acts speak of a token."""
    return f"token {number}" + (f" ({label})" if label else "")


def _run(run: Run) -> str:
    partition = f", partition {run.partition}" if run.partition else ""
    again = f", repeats {run.parent_run_id}" if run.parent_run_id else ""
    return f"{run.location}/{run.job}{partition}{again}"


def _standing(backfill: Backfill) -> dict[str, str]:
    return {
        "status": backfill.status,
        "paused": "paused" if backfill.paused else "not paused",
        "priority": f"priority {backfill.priority}",
    }


def _keys(keys: Sequence[str]) -> str:
    more = len(keys) - _MOST_NAMED
    return ", ".join(keys[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _slots(number: int | None) -> str | None:
    return None if number is None else f"{number} slot" + ("" if number == 1 else "s")
