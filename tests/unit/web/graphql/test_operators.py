"""Overrides, removals, and the record of what people did."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from penstock.auth.permissions import Actor, Role
from penstock.records.automation import TickStatus
from penstock.records.errors import ErrorInfo

SCHEDULE, SENSOR = "shop/schedule/at_night", "shop/sensor/new_files"
OVERRIDE = """override { pausedUntil cronSchedule cronDescription executionTimezone intervalSeconds runConfigYaml
    hasRunConfig tags { key value } actor reason }"""
FAR = 4e9


def changed(ask: Any, call: str, fields: str = OVERRIDE) -> Any:
    return ask(
        f"mutation {{ a: {call} {{ __typename ... on InstigationState {{ {fields} }} ... on Error {{ message }} "
        "... on RunConfigValidationInvalid { errors { message } } } }"
    )["a"]


def state(ask: Any, name: str, fields: str) -> Any:
    selector = f'{{repositoryLocationName: "shop", name: "{name}"}}'
    inner = f"... on InstigationState {{ {fields} }}"
    return ask(f"{{ a: instigationStateOrError(instigationSelector: {selector}) {{ {inner} }} }}")["a"]


def test_an_override_counts_until_it_is_withdrawn(ask: Any) -> None:
    told = changed(
        ask,
        f'overrideInstigation(id: "{SCHEDULE}", override: {{pausedUntil: {FAR}, cronSchedule: ["0 5 * * *"], '
        'executionTimezone: "UTC", runConfigData: "ops: {extract: {config: {rows: 3}}}", '
        'tags: [{key: "a", value: "b"}], reason: "the source is down"})',
    )
    assert told["override"] == {
        "pausedUntil": FAR,
        "cronSchedule": ["0 5 * * *"],
        "cronDescription": "At 05:00",
        "executionTimezone": "UTC",
        "intervalSeconds": None,
        "runConfigYaml": "ops:\n  extract:\n    config:\n      rows: 3\n",
        "hasRunConfig": True,
        "tags": [{"key": "a", "value": "b"}],
        "actor": None,
        "reason": "the source is down",
    }
    ticks = ask(
        '{ a: scheduleOrError(scheduleSelector: {repositoryLocationName: "shop", scheduleName: "at_night"}) '
        "{ ... on Schedule { futureTicks(limit: 1) { results { timestamp } } } } }"
    )["a"]["futureTicks"]["results"]
    assert ticks[0]["timestamp"] > FAR
    assert ticks[0]["timestamp"] % 86400 == 5 * 3600
    told = changed(ask, f'withdrawInstigationOverride(id: "{SCHEDULE}", reason: "it is back")', f"{OVERRIDE} id")
    assert (told["override"], told["id"]) == (None, SCHEDULE)
    acts = state(ask, "at_night", f"acts {{ subject kind reason {OVERRIDE} }}")["acts"]
    assert [(act["kind"], act["subject"], act["reason"]) for act in acts] == [
        ("WITHDRAW", SCHEDULE, "it is back"),
        ("OVERRIDE", SCHEDULE, "the source is down"),
    ]
    assert acts[1]["override"]["cronSchedule"] == ["0 5 * * *"]


@pytest.mark.parametrize(
    ("instigator", "override", "told"),
    [
        (SCHEDULE, "{}", "sets nothing"),
        (SCHEDULE, "{pausedUntil: 1.0}", "is over already"),
        (SCHEDULE, "{intervalSeconds: 30.0}", "has no interval"),
        (SCHEDULE, '{cronSchedule: ["0 25 * * *"]}', "field hour"),
        (SCHEDULE, '{executionTimezone: "Europe/Berln"}', 'did you mean "Europe/Berlin"'),
        (SENSOR, '{cronSchedule: ["@daily"]}', "has no cron text"),
        (SENSOR, "{intervalSeconds: 0.1}", "a second or more"),
        ("shop/sensor/none", "{intervalSeconds: 30.0}", "'none'"),
        ("nonsense", "{intervalSeconds: 30.0}", "no schedule or sensor of the id"),
    ],
)
def test_an_override_that_cannot_hold(ask: Any, instigator: str, override: str, told: str) -> None:
    answer = changed(ask, f'overrideInstigation(id: "{instigator}", override: {override})')
    assert told in answer["message"]
    assert ask("{ operatorActs { id } }")["operatorActs"] == []


def test_a_run_config_that_does_not_fit_the_job(ask: Any) -> None:
    answer = changed(ask, f'overrideInstigation(id: "{SENSOR}", override: {{runConfigData: "ops: {{x: 1}}"}})')
    assert answer["__typename"] == "RunConfigValidationInvalid"
    assert answer["errors"]


def test_what_cannot_be_taken_back(ask: Any) -> None:
    for call, told in (
        ("withdrawInstigationOverride", "has no override"),
        ("restoreInstigation", "was not removed"),
        ("removeInstigation", "defines 'at_night'"),
    ):
        assert told in changed(ask, f'{call}(id: "{SCHEDULE}")')["message"]


def test_one_without_code_is_kept_removed_and_restored(deployment: Any, ask: Any) -> None:
    listed = "{ instigationsWithoutCode { id name instigationType status hasCode removedTimestamp } }"
    assert ask(listed)["instigationsWithoutCode"] == []
    changed(ask, f'overrideInstigation(id: "{SCHEDULE}", override: {{pausedUntil: {FAR}}})')
    ask('mutation { startSchedule(scheduleSelector: {repositoryLocationName: "shop", scheduleName: "at_night"}) '
        "{ __typename } }")  # fmt: skip
    code = deployment.catalog.locations["shop"].description
    deployment.put(msgspec.structs.replace(code, schedules=()))
    (left,) = ask(listed)["instigationsWithoutCode"]
    assert left == {
        "id": SCHEDULE,
        "name": "at_night",
        "instigationType": "SCHEDULE",
        "status": "RUNNING",
        "hasCode": False,
        "removedTimestamp": None,
    }
    removed = changed(ask, f'removeInstigation(id: "{SCHEDULE}")', "status removedTimestamp")
    assert removed["status"] == "STOPPED"
    assert removed["removedTimestamp"] > 0
    deployment.put(code)
    assert ask(listed)["instigationsWithoutCode"] == []
    assert state(ask, "at_night", "status hasCode") == {"status": "STOPPED", "hasCode": True}
    restored = changed(ask, f'restoreInstigation(id: "{SCHEDULE}")', f"status removedTimestamp {OVERRIDE}")
    assert (restored["status"], restored["removedTimestamp"]) == ("RUNNING", None)
    assert restored["override"]["pausedUntil"] == FAR
    acts = ask(f'{{ operatorActs(subject: "{SCHEDULE}", limit: 3) {{ kind }} }}')["operatorActs"]
    assert [act["kind"] for act in acts] == ["RESTORE", "REMOVE", "START"]


def test_acts_tell_who_and_come_in_pages(deployment: Any, ask: Any) -> None:
    ann = Actor(name="ann", roles={None: Role.EDITOR})
    for cursor in ("1", "2"):
        deployment.execute(
            "mutation { setSensorCursor(sensorSelector: "
            f'{{repositoryLocationName: "shop", sensorName: "new_files"}}, cursor: "{cursor}") {{ __typename }} }}',
            actor=ann,
        )
    newest, older = ask("{ operatorActs { id kind actor cursor timestamp } }")["operatorActs"]
    assert (newest["kind"], newest["actor"], newest["cursor"]) == ("SET_CURSOR", "ann", "2")
    assert ask(f'{{ operatorActs(cursor: "{newest["id"]}") {{ id }} }}')["operatorActs"] == [{"id": older["id"]}]


def test_switches_are_turned_for_a_reason(ask: Any) -> None:
    schedule = 'scheduleSelector: {repositoryLocationName: "shop", scheduleName: "at_night"}'
    sensor = 'sensorSelector: {repositoryLocationName: "shop", sensorName: "new_files"}'
    calls = (f"startSchedule({schedule}", f"stopRunningSchedule({schedule}", f"startSensor({sensor}")
    for call in (*calls, f"resetSensor({sensor}", f"resetSchedule({schedule}"):
        ask(f'mutation {{ a: {call}, reason: "a move") {{ __typename }} }}')
    ask(f'mutation {{ a: stopSensor(id: "{SENSOR}", reason: "") {{ __typename }} }}')
    acts = ask("{ operatorActs { subject kind reason } }")["operatorActs"]
    assert [(act["subject"], act["kind"], act["reason"]) for act in reversed(acts)] == [
        (SCHEDULE, "START", "a move"),
        (SCHEDULE, "STOP", "a move"),
        (SENSOR, "START", "a move"),
        (SENSOR, "RESET", "a move"),
        (SCHEDULE, "RESET", "a move"),
        (SENSOR, "STOP", None),
    ]


def test_acts_are_chosen_by_actor_kind_and_time(deployment: Any, ask: Any) -> None:
    ann = Actor(name="ann", roles={None: Role.ADMIN}, via="token 3")
    for limit in (1, 2):
        deployment.execute(f'mutation {{ setConcurrencyLimit(concurrencyKey: "db", limit: {limit}) }}', actor=ann)
    ask('mutation { setConcurrencyLimit(concurrencyKey: "db", limit: 3) }')
    found = ask('{ operatorActs(actor: "ann", kinds: [SET_LIMIT]) { subject actor via before after } }')["operatorActs"]
    assert found == [
        {"subject": "pool/db", "actor": "ann", "via": "token 3", "before": before, "after": after}
        for before, after in (("1 slot", "2 slots"), (None, "1 slot"))
    ]
    assert ask(f"{{ operatorActs(since: {FAR}) {{ id }} }}")["operatorActs"] == []
    assert ask("{ operatorActs(kinds: [REFUSED]) { id } }")["operatorActs"] == []


def test_what_somebody_may_not_do_is_an_act_too(deployment: Any, ask: Any) -> None:
    bob = Actor(name="bob", roles={None: Role.VIEWER, "bank": Role.ADMIN})
    for mutation in (
        'setConcurrencyLimit(concurrencyKey: "db", limit: 1)',
        f'withdrawInstigationOverride(id: "{SCHEDULE}", reason: "mine") {{ __typename }}',
    ):
        deployment.execute(f"mutation {{ {mutation} }}", actor=bob)
    acts = ask("{ operatorActs { kind subject actor after reason } }")["operatorActs"]
    assert acts == [
        {"kind": "REFUSED", "subject": subject, "actor": "bob", "after": permission, "reason": reason}
        for subject, permission, reason in (
            ("location/shop", "switch_instigator", "mine"),
            ("instance", "edit_concurrency", None),
        )
    ]


def tick(deployment: Any, instigator: str, due: float, status: TickStatus) -> None:
    """Begin a tick, and end it unless it is to stay at work."""
    instigators = deployment.storage.instigators
    lease = deployment.storage.leases.acquire("sensors", "daemon", ttl=1e9, now=0.0)
    begun = instigators.begin_tick(instigator, due, lease=lease, now=due)
    if status is TickStatus.STARTED:
        return
    error = ErrorInfo(cls="E", message="no such table") if status is TickStatus.FAILURE else None
    done = msgspec.structs.replace(begun, status=status, error=error, ended=due)
    instigators.complete_tick(done, lease=lease, now=due)


def test_what_fails_at_its_last_tick_is_told_until_it_does_not(deployment: Any, ask: Any) -> None:
    def failing() -> list[tuple[str, float]]:
        found = ask("{ failingInstigations { instigationState { id } tick { timestamp error { message } } } }")
        return [(each["instigationState"]["id"], each["tick"]["timestamp"]) for each in found["failingInstigations"]]

    selector = 'Selector: {repositoryLocationName: "shop", %sName: "%s"}'
    schedule, sensor = selector % ("schedule", "at_night"), selector % ("sensor", "new_files")
    ask(f"mutation {{ a: startSchedule(schedule{schedule}) {{ __typename }} }}")
    ask(f"mutation {{ a: startSensor(sensor{sensor}) {{ __typename }} }}")
    assert failing() == []
    tick(deployment, SENSOR, 100.0, TickStatus.FAILURE)
    tick(deployment, SCHEDULE, 200.0, TickStatus.FAILURE)
    assert failing() == [(SCHEDULE, 200.0), (SENSOR, 100.0)]
    # One that is at work has not come to anything yet.
    tick(deployment, SENSOR, 300.0, TickStatus.STARTED)
    assert failing() == [(SCHEDULE, 200.0), (SENSOR, 100.0)]
    # Somebody knows of what is paused, and nobody waits for what is off.
    changed(ask, f'overrideInstigation(id: "{SCHEDULE}", override: {{pausedUntil: {FAR}}})')
    assert failing() == [(SENSOR, 100.0)]
    changed(ask, f'withdrawInstigationOverride(id: "{SCHEDULE}")')
    assert len(failing()) == 2
    ask(f"mutation {{ a: stopSensor(sensor{sensor}) {{ __typename }} }}")
    assert failing() == [(SCHEDULE, 200.0)]
    tick(deployment, SCHEDULE, 400.0, TickStatus.SKIPPED)
    assert failing() == []


def test_failed_ticks_show_at_the_job(deployment: Any, ask: Any) -> None:
    for instigator, due, status in (
        (SENSOR, 100.0, TickStatus.FAILURE),
        (SENSOR, 200.0, TickStatus.SUCCESS),
        (SCHEDULE, 300.0, TickStatus.FAILURE),
    ):
        tick(deployment, instigator, due, status)
    query = """query Q($limit: Int) { pipelineOrError(params: {repositoryLocationName: "shop", pipelineName: "nightly"})
        { ... on Pipeline { failedTicks(limit: $limit) {
            instigationState { name } tick { timestamp error { message } } } } } }"""
    failed = ask(query)["pipelineOrError"]["failedTicks"]
    assert [(each["instigationState"]["name"], each["tick"]["timestamp"]) for each in failed] == [
        ("at_night", 300.0),
        ("new_files", 100.0),
    ]
    assert failed[0]["tick"]["error"] == {"message": "no such table"}
    assert len(ask(query, limit=1)["pipelineOrError"]["failedTicks"]) == 1
