"""Schedules and sensors: what the code says, what people turned, what happened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from penstock.errors import CodeServerUnreachableError
from penstock.partitions.requests import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from penstock.records.automation import (
    BackfillRequestRecord,
    InstigatorKind,
    InstigatorState,
    PartitionChoice,
    RunRequestRecord,
    TickStatus,
)
from penstock.records.wire import EvaluateSchedule, EvaluateSensor, Evaluation
from penstock.testing.storage_contract.backfills import stored_backfill

SCHEDULE = '{repositoryLocationName: "shop", scheduleName: "at_night"}'
SENSOR = '{repositoryLocationName: "shop", sensorName: "new_files"}'
STATE = """id selectorId name instigationType repositoryName repositoryLocationName status declaredInCode cursor
    lastRunKey lastTickTime nextTick { timestamp }"""


def schedule(ask: Any, fields: str) -> Any:
    return ask(f"{{ scheduleOrError(scheduleSelector: {SCHEDULE}) {{ ... on Schedule {{ {fields} }} }} }}")[
        "scheduleOrError"
    ]


def sensor(ask: Any, fields: str) -> Any:
    return ask(f"{{ sensorOrError(sensorSelector: {SENSOR}) {{ ... on Sensor {{ {fields} }} }} }}")["sensorOrError"]


def test_a_schedule(ask: Any) -> None:
    told = schedule(
        ask,
        f"""id name cronSchedule cronDescription executionTimezone pipelineName defaultStatus canReset sourceRef
        repository {{ name }} tags {{ key }} scheduleState {{ {STATE} }}""",
    )
    state = told.pop("scheduleState")
    assert told == {
        "id": "shop/schedule/at_night",
        "name": "at_night",
        "cronSchedule": "30 2 * * 1-5",
        "cronDescription": "At 02:30, from Monday to Friday",
        "executionTimezone": "Europe/Berlin",
        "pipelineName": "nightly",
        "defaultStatus": "STOPPED",
        "canReset": False,
        "sourceRef": None,
        "repository": {"name": "__repository__"},
        "tags": [],
    }
    assert state == {
        "id": "shop/schedule/at_night",
        "selectorId": "shop/schedule/at_night",
        "name": "at_night",
        "instigationType": "SCHEDULE",
        "repositoryName": "__repository__",
        "repositoryLocationName": "shop",
        "status": "STOPPED",
        "declaredInCode": True,
        "cursor": None,
        "lastRunKey": None,
        "lastTickTime": None,
        "nextTick": None,
    }


def test_the_next_ticks_of_a_schedule(ask: Any) -> None:
    friday = datetime(2024, 3, 29, 12, tzinfo=UTC).timestamp()
    told = schedule(ask, f"futureTicks(cursor: {friday}, limit: 3) {{ results {{ timestamp }} }}")
    instants = [datetime.fromtimestamp(each["timestamp"], UTC) for each in told["futureTicks"]["results"]]
    # Berlin sets its clocks forward in the night before the Sunday between.
    assert instants == [datetime(2024, 4, day, 0, 30, tzinfo=UTC) for day in (1, 2, 3)]


def test_the_next_ticks_tell_what_clocks_do(deployment: Any, ask: Any) -> None:
    deployment.catalog.refresh()
    code = deployment.catalog.locations["shop"].description
    twice = msgspec.structs.replace(code.schedules[0], cron=("30 2 * * *",), dst_fold="both", max_catchup=3)
    deployment.put(msgspec.structs.replace(code, schedules=(twice,)))
    fields = "dstGap dstFold maxCatchupRuns"
    assert schedule(ask, fields) == {"dstGap": "after", "dstFold": "both", "maxCatchupRuns": 3}
    for start, told in (
        (datetime(2024, 10, 26, 12, tzinfo=UTC), ["FOLD", "FOLD", None]),
        (datetime(2024, 3, 30, 12, tzinfo=UTC), ["GAP", None, None]),
    ):
        answer = schedule(ask, f"futureTicks(cursor: {start.timestamp()}, limit: 3) {{ results {{ clockChange }} }}")
        assert [each["clockChange"] for each in answer["futureTicks"]["results"]] == told


def test_a_sensor(ask: Any) -> None:
    told = sensor(ask, f"name sensorType minIntervalSeconds targets {{ pipelineName }} sensorState {{ {STATE} }}")
    assert told["targets"] == [{"pipelineName": "nightly"}]
    assert (told["sensorType"], told["minIntervalSeconds"]) == ("ASSET", 30)
    assert (told["sensorState"]["status"], told["sensorState"]["declaredInCode"]) == ("RUNNING", True)


def test_lists_by_status(ask: Any) -> None:
    query = """query Q($status: InstigationStatus) {
        schedulesOrError(repositorySelector: {repositoryLocationName: "shop"}, scheduleStatus: $status) {
            ... on Schedules { results { name } } }
        sensorsOrError(repositorySelector: {repositoryLocationName: "shop"}, sensorStatus: $status) {
            ... on Sensors { results { name } } } }"""

    def names(**given: Any) -> list[list[str]]:
        return [[each["name"] for each in found["results"]] for found in ask(query, **given).values()]

    assert names() == [["at_night"], ["new_files"]]
    assert names(status="RUNNING") == [[], ["new_files"]]
    assert names(status="STOPPED") == [["at_night"], []]


def test_turning_a_schedule(ask: Any) -> None:
    fields = "... on ScheduleStateResult { scheduleState { status declaredInCode nextTick { timestamp } } }"
    on = ask(f"mutation {{ a: startSchedule(scheduleSelector: {SCHEDULE}) {{ {fields} }} }}")["a"]["scheduleState"]
    assert (on["status"], on["declaredInCode"]) == ("RUNNING", False)
    assert on["nextTick"]["timestamp"] > 0
    assert schedule(ask, "canReset scheduleState { status }") == {
        "canReset": True,
        "scheduleState": {"status": "RUNNING"},
    }
    off = ask(f'mutation {{ a: stopRunningSchedule(id: "shop/schedule/at_night") {{ {fields} }} }}')["a"]
    assert off["scheduleState"] == {"status": "STOPPED", "declaredInCode": False, "nextTick": None}
    reset = ask(f"mutation {{ a: resetSchedule(scheduleSelector: {SCHEDULE}) {{ {fields} }} }}")["a"]
    assert reset["scheduleState"] == {"status": "STOPPED", "declaredInCode": True, "nextTick": None}


def test_turning_a_sensor(ask: Any) -> None:
    state = "... on StopSensorMutationResult { instigationState { status declaredInCode } }"
    off = ask(f"mutation {{ a: stopSensor(sensorSelector: {SENSOR}) {{ {state} }} }}")["a"]["instigationState"]
    assert off == {"status": "STOPPED", "declaredInCode": False}
    fields = "... on Sensor { canReset sensorState { status cursor } }"
    on = ask(f"mutation {{ a: startSensor(sensorSelector: {SENSOR}) {{ {fields} }} }}")["a"]
    assert on == {"canReset": True, "sensorState": {"status": "RUNNING", "cursor": None}}
    moved = ask(f'mutation {{ a: setSensorCursor(sensorSelector: {SENSOR}, cursor: "7") {{ {fields} }} }}')["a"]
    assert moved["sensorState"]["cursor"] == "7"
    reset = ask(f"mutation {{ a: resetSensor(sensorSelector: {SENSOR}) {{ {fields} }} }}")["a"]
    assert reset == {"canReset": False, "sensorState": {"status": "RUNNING", "cursor": "7"}}
    off = ask(f'mutation {{ a: stopSensor(id: "shop/sensor/new_files") {{ {state} }} }}')["a"]["instigationState"]
    assert off["status"] == "STOPPED"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('startSchedule(scheduleSelector: {repositoryLocationName: "shop", scheduleName: "at_nigt"})', "'at_night'"),
        (
            'startSensor(sensorSelector: {repositoryLocationName: "bank", sensorName: "x"})',
            "in the code location 'bank'",
        ),
        ('stopRunningSchedule(id: "shop/sensor/new_files")', "no schedule of the id"),
        ('stopRunningSchedule(id: "nonsense")', "no schedule of the id"),
        ("stopRunningSchedule", "give an id or a scheduleSelector"),
        ('stopSensor(id: "shop/schedule/at_night")', "no sensor of the id"),
    ],
)
def test_what_is_not_there(ask: Any, call: str, told: str) -> None:
    answer = ask(f"mutation {{ a: {call} {{ __typename ... on Error {{ message }} }} }}")["a"]
    assert told in answer["message"]


def test_what_the_code_says_of_watched_assets_owners_and_facts(ask: Any) -> None:
    told = sensor(ask, "sensorType owners metadata { assetKeys { path } } metadataEntries { label }")
    assert told == {
        "sensorType": "ASSET",
        "owners": ["team:data"],
        "metadata": {"assetKeys": [{"path": ["shop", "orders"]}]},
        "metadataEntries": [{"label": "why"}],
    }
    told = schedule(ask, "owners metadataEntries { label }")
    assert told == {"owners": [], "metadataEntries": []}


def test_ticks(deployment: Any, ask: Any) -> None:
    storage, run = deployment.storage, deployment.run()
    state = InstigatorState(
        id="shop/sensor/new_files", location="shop", kind=InstigatorKind.SENSOR, name="new_files", next_due=500.0
    )
    storage.instigators.plan([state])
    lease = storage.leases.acquire("sensors", "daemon", ttl=1e9, now=0.0)
    for due in (100.0, 200.0, 300.0):
        tick = storage.instigators.begin_tick(state.id, due, lease=lease, now=due)
        done = msgspec.structs.replace(
            tick,
            status=TickStatus.SKIPPED if due < 300 else TickStatus.SUCCESS,
            skip_reason="nothing new" if due < 300 else None,
            run_ids=() if due < 300 else (run.run_id,),
            log=("looked",),
            partitions=(AddDynamicPartitionsRequest("files", ["a"]), DeleteDynamicPartitionsRequest("files", ["b"])),
        )
        backfill = stored_backfill() if due == 300 else None
        storage.instigators.complete_tick(done, lease=lease, backfill=backfill, next_due=due + 100, now=due + 1)
    query = """query Q($limit: Int, $cursor: String, $statuses: [InstigationTickStatus!]) {
        instigationStateOrError(instigationSelector: {repositoryLocationName: "shop", name: "new_files"}) {
            ... on InstigationState { lastTickTime nextTick { timestamp }
                ticks(limit: $limit, cursor: $cursor, statuses: $statuses) { id tickId status timestamp
                    startTimestamp endTimestamp skipReason logs runIds backfillId error { message }
                    dynamicPartitionsRequestResults { type partitionsDefName partitionKeys } } } } }"""
    told = ask(query, limit=2)["instigationStateOrError"]
    assert told["nextTick"] == {"timestamp": 400.0}
    newest, older = told["ticks"]
    assert (newest["status"], newest["timestamp"], newest["endTimestamp"]) == ("SUCCESS", 300.0, 301.0)
    assert [each["backfillId"] for each in (newest, older)] == [storage.backfills.open()[0].backfill_id, None]
    assert (older["skipReason"], older["logs"], older["error"]) == ("nothing new", ["looked"], None)
    assert newest["dynamicPartitionsRequestResults"] == [
        {"type": "ADD_PARTITIONS", "partitionsDefName": "files", "partitionKeys": ["a"]},
        {"type": "DELETE_PARTITIONS", "partitionsDefName": "files", "partitionKeys": ["b"]},
    ]
    late = """{ instigationStateOrError(instigationSelector: {repositoryLocationName: "shop", name: "new_files"}) {
        ... on InstigationState { lateness { ticks p50 p99 max } heldBack ticks(limit: 1) { lateness } } } }"""
    assert ask(late)["instigationStateOrError"] == {
        "lateness": {"ticks": 3, "p50": 0.0, "p99": 0.0, "max": 0.0},
        "heldBack": None,
        "ticks": [{"lateness": 0.0}],
    }
    rest = ask(query, limit=2, cursor=older["id"])["instigationStateOrError"]["ticks"]
    assert [each["timestamp"] for each in rest] == [100.0]
    storage.instigators.plan([msgspec.structs.replace(state, next_due=301.0 + 3600)])
    assert ask(query)["instigationStateOrError"]["nextTick"] is None  # it waits for an event
    skipped = ask(query, statuses=["SKIPPED"])["instigationStateOrError"]["ticks"]
    assert [each["timestamp"] for each in skipped] == [200.0, 100.0]


def test_a_state_by_id_or_name(ask: Any) -> None:
    query = """query Q($name: String!, $id: String) { instigationStateOrError(
        instigationSelector: {repositoryLocationName: "shop", name: $name}, id: $id) {
            __typename ... on InstigationState { id } } }"""
    assert ask(query, name="at_night")["instigationStateOrError"]["id"] == "shop/schedule/at_night"
    assert ask(query, name="x", id="shop/sensor/new_files")["instigationStateOrError"]["id"] == "shop/sensor/new_files"
    assert ask(query, name="none")["instigationStateOrError"]["__typename"] == "InstigationStateNotFoundError"


class CodeServer:
    """Answers evaluations, and notes what it was asked."""

    def __init__(self, answer: Evaluation) -> None:
        self.answer = answer
        self.asked: list[EvaluateSchedule | EvaluateSensor] = []

    def evaluate(self, work: EvaluateSchedule | EvaluateSensor) -> Evaluation:
        self.asked.append(work)
        return self.answer


def test_dry_runs(deployment: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RunRequestRecord(run_key="k", run_config={"a": 1}, tags={"t": "v"}, assets=("orders",), partition="p")
    server = CodeServer(Evaluation(run_requests=(request,), cursor="9", log=("hello",)))
    monkeypatch.setattr(deployment.catalog, "client", lambda _: server)
    fields = """... on DryRunInstigationTick { timestamp evaluationResult { skipReason cursor logs error { message }
        runRequests { runKey jobName tags { key value } runConfigYaml partition assetSelection { path } } } }"""
    told = ask(f'mutation {{ a: sensorDryRun(selectorData: {SENSOR}, cursor: "8") {{ {fields} }} }}')["a"]
    assert told["evaluationResult"] == {
        "skipReason": None,
        "cursor": "9",
        "logs": ["hello"],
        "error": None,
        "runRequests": [
            {
                "runKey": "k",
                "jobName": None,
                "tags": [{"key": "t", "value": "v"}],
                "runConfigYaml": "a: 1\n",
                "partition": "p",
                "assetSelection": [{"path": ["orders"]}],
            }
        ],
    }
    told = ask(f"mutation {{ a: scheduleDryRun(selectorData: {SCHEDULE}, timestamp: 1000.0) {{ {fields} }} }}")["a"]
    assert told["timestamp"] == 1000.0
    by_sensor, by_schedule = server.asked
    assert isinstance(by_sensor, EvaluateSensor)
    assert by_sensor.cursor == "8"
    assert by_schedule == EvaluateSchedule(name="at_night", due=1000.0)


def test_a_dry_run_shows_what_was_said_of_its_runs(deployment: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = CodeServer(Evaluation(run_requests=(RunRequestRecord(tags={"t": "v"}),)))
    monkeypatch.setattr(deployment.catalog, "client", lambda _: server)
    ask('mutation { overrideInstigation(id: "shop/schedule/at_night", override: '
        '{tags: [{key: "u", value: "w"}]}) { __typename } }')  # fmt: skip
    fields = "... on DryRunInstigationTick { evaluationResult { runRequests { tags { key } } } }"
    told = ask(f"mutation {{ a: scheduleDryRun(selectorData: {SCHEDULE}, timestamp: 1000.0) {{ {fields} }} }}")["a"]
    assert told["evaluationResult"]["runRequests"] == [{"tags": [{"key": "t"}, {"key": "u"}]}]


def test_a_dry_run_shows_the_backfill_that_is_asked_for(
    deployment: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = (
        PartitionChoice(assets=("orders", "mart/totals"), keys=("a...c",), count=3),
        PartitionChoice(assets=("report",), keys=("",)),
    )
    server = CodeServer(Evaluation(backfill=BackfillRequestRecord(choices=choices, tags={"t": "v"})))
    monkeypatch.setattr(deployment.catalog, "client", lambda _: server)
    ask('mutation { overrideInstigation(id: "shop/sensor/new_files", override: '
        '{tags: [{key: "u", value: "w"}]}) { __typename } }')  # fmt: skip
    fields = """... on DryRunInstigationTick { evaluationResult { backfillRequest {
        assetSelection { path } numPartitions tags { key value } } } }"""
    told = ask(f"mutation {{ a: sensorDryRun(selectorData: {SENSOR}) {{ {fields} }} }}")["a"]
    assert told["evaluationResult"]["backfillRequest"] == {
        "assetSelection": [{"path": ["orders"]}, {"path": ["mart", "totals"]}, {"path": ["report"]}],
        "numPartitions": 7,
        "tags": [{"key": "t", "value": "v"}, {"key": "u", "value": "w"}],
    }


def test_a_dry_run_without_a_code_server(ask: Any) -> None:
    query = f"mutation {{ a: sensorDryRun(selectorData: {SENSOR}) {{ ... on PythonError {{ className message }} }} }}"
    told = ask(query)["a"]
    assert told["className"] == CodeServerUnreachableError.__name__
    assert "No code server serves" in told["message"]
