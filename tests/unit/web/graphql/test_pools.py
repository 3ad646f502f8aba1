"""Concurrency pools over the API: limits, holders, who waits and why."""

from __future__ import annotations

import time
from typing import Any

import pytest

from penstock.auth.permissions import Actor, Role
from penstock.codec import digest, encode_json
from penstock.config.schema import Shape
from penstock.records.location import JobDescription, LocationDescription, StepDescription
from penstock.records.pool import PoolNeed, SlotRequest
from penstock.records.run import Run
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.testing.storage_contract.builders import queued_run

POOLS = """{ instance { supportsConcurrencyLimits minConcurrencyLimitValue maxConcurrencyLimitValue
    poolConfig { poolGranularity defaultPoolLimit opGranularityRunBuffer }
    concurrencyLimits { concurrencyKey limit usingDefaultLimit slotCount activeSlotCount activeRunIds
        claimedSlots { runId stepKey takenTimestamp }
        pendingStepCount pendingStepRunIds pendingSteps { runId stepKey enqueuedTimestamp priority reason } } } }"""
RUN = """query ($id: ID!) { runOrError(runId: $id) { ... on Run {
    allPools rootConcurrencyKeys hasUnconstrainedRootNodes hasConcurrencyKeySlots pendingSteps { stepKey reason }
} } }"""
SET = 'mutation ($limit: Int!) { setConcurrencyLimit(concurrencyKey: "db", limit: $limit) }'
FREE = "mutation ($id: String!, $step: String) { freeConcurrencySlots(runId: $id, stepKey: $step) }"


def claimed(deployment: Any, *steps: str, lease: float = 60.0) -> Run:
    """A run whose steps claim the pool `db`."""
    now = time.time()
    need = PoolNeed(pools=("db",), first={"db": len(steps)})
    run = queued_run(deployment.storage, pools=need, created=now)
    deployment.storage.runs.claim([run.run_id], owner="server", until=now + lease, now=now)
    requests = [SlotRequest(step_key=step, pools=("db",), since=now) for step in steps]
    deployment.storage.slots.claim(run.run_id, 1, requests, now=now)
    return run


def pools(ask: Any) -> dict[str, Any]:
    return {each["concurrencyKey"]: each for each in ask(POOLS)["instance"]["concurrencyLimits"]}


def test_a_pool_with_its_holders_and_those_that_wait(deployment: Any, ask: Any) -> None:
    deployment.storage.slots.set_limit("db", 1)
    run = claimed(deployment, "a", "b")
    db = pools(ask)["db"]
    assert (db["limit"], db["usingDefaultLimit"], db["slotCount"], db["activeSlotCount"]) == (1, False, 1, 1)
    assert [(each["runId"], each["stepKey"]) for each in db["claimedSlots"]] == [(run.run_id, "a")]
    assert (db["activeRunIds"], db["pendingStepRunIds"]) == ([run.run_id], [run.run_id])
    (pending,) = db["pendingSteps"]
    reason = f"Waits for pool db: 1 of 1 slot taken by run {run.run_id[-8:]} step a, place 1 of 1"
    assert (pending["stepKey"], pending["priority"], pending["reason"]) == ("b", 0, reason)
    told = ask(RUN, id=run.run_id)["runOrError"]
    assert told == {
        "allPools": ["db"],
        "rootConcurrencyKeys": ["db"],
        "hasUnconstrainedRootNodes": False,
        "hasConcurrencyKeySlots": True,
        "pendingSteps": [{"stepKey": "b", "reason": reason}],
    }


def test_a_pool_that_only_code_names_is_listed(deployment: Any, ask: Any) -> None:
    step = StepDescription(key="load", op="load", pool="api")
    job = JobDescription(name="load", steps=(step,), config_schema=Shape(fields={}))
    described = encode_json(LocationDescription(name="bank", jobs=(job,)))
    stored = StoredLocation(
        name="bank", status=LoadStatus.LOADED, digest=digest(described), description=described, updated=1.0
    )
    deployment.storage.locations.put(stored)
    api = pools(ask)["api"]
    assert (api["limit"], api["usingDefaultLimit"], api["slotCount"]) == (None, True, 0)
    one = ask('{ instance { concurrencyLimit(concurrencyKey: "nobody") { concurrencyKey limit } } }')
    assert one["instance"]["concurrencyLimit"] == {"concurrencyKey": "nobody", "limit": None}


def test_the_settings_are_told(ask: Any) -> None:
    told = ask(POOLS)["instance"]
    assert told["poolConfig"] == {"poolGranularity": "op", "defaultPoolLimit": None, "opGranularityRunBuffer": 0}
    assert (told["minConcurrencyLimitValue"], told["maxConcurrencyLimitValue"]) == (0, 1000)


def test_a_limit_is_set_and_deleted(deployment: Any, ask: Any) -> None:
    assert ask(SET, limit=3) == {"setConcurrencyLimit": True}
    assert deployment.storage.slots.limits() == {"db": 3}
    delete = 'mutation { deleteConcurrencyLimit(concurrencyKey: "db") }'
    assert ask(delete) == {"deleteConcurrencyLimit": True}
    assert ask(delete) == {"deleteConcurrencyLimit": False}


def test_slots_of_a_run_that_is_gone_are_freed_by_hand(deployment: Any, ask: Any) -> None:
    alive, gone = claimed(deployment, "a"), claimed(deployment, "a", lease=-1.0)
    assert ask(FREE, id=alive.run_id) == {"freeConcurrencySlots": False}
    assert ask(FREE, id=gone.run_id, step="b") == {"freeConcurrencySlots": False}
    assert ask(FREE, id=gone.run_id, step="a") == {"freeConcurrencySlots": True}
    for_run = "mutation ($id: String!) { freeConcurrencySlotsForRun(runId: $id) }"
    assert ask(for_run, id=gone.run_id) == {"freeConcurrencySlotsForRun": False}


@pytest.mark.parametrize("limit", [-1, 1001])
def test_a_limit_out_of_range_is_refused(deployment: Any, limit: int) -> None:
    (error,) = deployment.execute(SET, limit=limit).body["errors"]
    assert f'The pool "db" cannot have {limit} slots; set a limit from 0 to 1000' in error["message"]
    assert deployment.storage.slots.limits() == {}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (SET, {"limit": 1}),
        ('mutation { deleteConcurrencyLimit(concurrencyKey: "db") }', {}),
        (FREE, {"id": "x", "step": "y"}),
        ('mutation { freeConcurrencySlotsForRun(runId: "x") }', {}),
    ],
)
def test_one_who_may_launch_alone_changes_no_limit(deployment: Any, query: str, variables: dict[str, Any]) -> None:
    launcher = Actor(name="ada", roles={None: Role.LAUNCHER})
    (error,) = deployment.execute(query, actor=launcher, **variables).body["errors"]
    assert "edit_concurrency" in error["message"]
