"""Events: each kind with its own fields, filters before the limit, and pages that go on where the last ended."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.records.code_reference import LocalFileCodeReference, UrlCodeReference
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    EVENT_TYPES,
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    EngineNote,
    Event,
    Fact,
    HandledOutput,
    LoadedInput,
    LogLine,
    LogsCaptured,
    ResourceInitSuccess,
    RunFailure,
    RunStart,
    StepFailure,
    StepInput,
    StepOutput,
    StepUpForRetry,
    StoredEvent,
)
from penstock.records.metadata import (
    AssetMetadataValue,
    BoolMetadataValue,
    CodeReferencesMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JobMetadataValue,
    JsonMetadataValue,
    MarkdownMetadataValue,
    Metadata,
    MetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    PoolMetadataValue,
    PythonArtifactMetadataValue,
    RunMetadataValue,
    TableMetadataValue,
    TableSchemaMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    UrlMetadataValue,
)
from penstock.records.run import FailureReason
from penstock.records.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)
from penstock.web.graphql.events import type_of_event
from penstock.web.graphql.schema import load_api

ERROR = ErrorInfo(cls="ValueError", message="no rows")
SCHEMA = TableSchema(
    [TableColumn("n", "int", "a number", TableColumnConstraints(nullable=False, other=["n > 0"]), {"pii": "no"})],
    TableConstraints(["sorted"]),
)

METADATA: Metadata = {
    "text": TextMetadataValue("plain"),
    "md": MarkdownMetadataValue("**bold**"),
    "int": IntMetadataValue(3),
    "huge": IntMetadataValue(1 << 40),
    "float": FloatMetadataValue(0.5),
    "nan": FloatMetadataValue(float("nan")),
    "bool": BoolMetadataValue(True),
    "json": JsonMetadataValue({"a": [1]}),
    "url": UrlMetadataValue("https://example.com"),
    "path": PathMetadataValue("/data/x"),
    "time": TimestampMetadataValue(1.5),
    "asset": AssetMetadataValue("mart/totals"),
    "run": RunMetadataValue("some-run"),
    "table": TableMetadataValue([TableRecord({"n": 1})], SCHEMA),
    "schema": TableSchemaMetadataValue(SCHEMA),
    "lineage": MetadataValue.column_lineage(TableColumnLineage({"n": [TableColumnDep("orders", "n")], "m": []})),
    "job": JobMetadataValue("nightly", "shop", "__repository__"),
    "pool": PoolMetadataValue("db"),
    "artifact": PythonArtifactMetadataValue("shop.load", "Loader"),
    "code": CodeReferencesMetadataValue(
        code_references=[
            LocalFileCodeReference(file_path="/shop/load.py", line_number=3),
            UrlCodeReference(url="https://example.com/load.py", label="load"),
        ]
    ),
    "null": NullMetadataValue(),
}

ENTRIES = """metadataEntries { __typename label description
    ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr }
    ... on IntMetadataEntry { intValue intRepr } ... on FloatMetadataEntry { floatValue floatRepr }
    ... on BoolMetadataEntry { boolValue } ... on JsonMetadataEntry { jsonString } ... on UrlMetadataEntry { url }
    ... on PathMetadataEntry { path } ... on TimestampMetadataEntry { timestamp }
    ... on AssetMetadataEntry { assetKey { path } } ... on PipelineRunMetadataEntry { runId }
    ... on TableMetadataEntry { table { records schema { columns { name type description } } } }
    ... on TableSchemaMetadataEntry { schema { constraints { other }
        columns { name constraints { nullable unique other } tags { key value } } } }
    ... on TableColumnLineageMetadataEntry { lineage { columnName columnDeps { assetKey { path } columnName } } }
    ... on JobMetadataEntry { jobName locationName repositoryName } ... on PoolMetadataEntry { pool }
    ... on PythonArtifactMetadataEntry { module name }
    ... on CodeReferencesMetadataEntry { codeReferences { ... on LocalFileCodeReference { filePath lineNumber label }
        ... on UrlCodeReference { url label } } } }"""

OF_RUN = """query Q($id: ID!, $after: String, $limit: Int, $steps: [String!], $types: [String!], $levels: [LogLevel!],
    $text: String) { logsForRun(runId: $id, afterCursor: $after, limit: $limit, stepKeys: $steps, types: $types,
    levels: $levels, text: $text) { __typename ... on EventConnection { cursor hasMore events {
        __typename eventId eventType message level stepKey timestamp runId } } } }"""


class Log:
    """A run whose events a test writes and reads."""

    def __init__(self, deployment: Any) -> None:
        self.deployment = deployment
        self.run = deployment.run()
        now = deployment.instance.clock.now()
        deployment.storage.runs.claim([self.run.run_id], owner="worker", until=now + 60, now=now)
        self.seq = 0
        self.write(RunStart(pid=1))

    def write(self, *facts: Fact, step: str | None = None) -> None:
        events = []
        for fact in facts:
            self.seq += 1
            events.append(Event(time=1000.0 + self.seq, fact=fact, step_key=step, seq=self.seq))
        self.deployment.storage.events.append(self.run.run_id, 1, events, now=2000.0)

    def read(self, **filters: Any) -> Any:
        return self.deployment.ask(OF_RUN, id=self.run.run_id, **filters)["logsForRun"]

    def only(self, kind: str, fields: str) -> Any:
        """The fields of the one event of a GraphQL type."""
        events = f"... on EventConnection {{ events {{ ... on {kind} {{ {fields} }} }} }}"
        query = f"query Q($id: ID!) {{ logsForRun(runId: $id) {{ {events} }} }}"
        answer = self.deployment.ask(query, id=self.run.run_id)["logsForRun"]["events"]
        (found,) = [event for event in answer if event]
        return found


@pytest.fixture
def log(deployment: Any) -> Log:
    return Log(deployment)


def test_what_all_events_have(log: Log) -> None:
    log.write(LogLine(level="WARNING", message="careful"), step="extract")
    events = log.read()["events"]
    assert events[-1] == {
        "__typename": "LogMessageEvent",
        "eventId": events[-1]["eventId"],
        "eventType": None,
        "message": "careful",
        "level": "WARNING",
        "stepKey": "extract",
        "timestamp": "1002000",
        "runId": log.run.run_id,
    }
    assert "RUN_START" in [event["eventType"] for event in events]


@pytest.mark.parametrize(
    ("fact", "kind", "fields", "told"),
    [
        (
            LogLine(level="INFO", message="m", logger="mine", error=ERROR),
            "LogMessageEvent",
            "logger error { message }",
            {"logger": "mine", "error": {"message": "no rows"}},
        ),
        (
            StepFailure(error=ERROR),
            "ExecutionStepFailureEvent",
            "error { className } errorSource",
            {"error": {"className": "ValueError"}, "errorSource": "USER_CODE_ERROR"},
        ),
        (
            StepUpForRetry(error=ERROR, retry=1, wait=2.5),
            "ExecutionStepUpForRetryEvent",
            "secondsToWait",
            {"secondsToWait": 2.5},
        ),
        (
            StepOutput(output="result", mapping_key="a"),
            "ExecutionStepOutputEvent",
            "outputName mappingKey",
            {"outputName": "result", "mappingKey": "a"},
        ),
        (
            HandledOutput(output="result", io_manager="io"),
            "HandledOutputEvent",
            "outputName managerKey",
            {"outputName": "result", "managerKey": "io"},
        ),
        (
            LoadedInput(input="x", io_manager="io", upstream_step="s", upstream_output="o"),
            "LoadedInputEvent",
            "inputName managerKey upstreamStepKey upstreamOutputName",
            {"inputName": "x", "managerKey": "io", "upstreamStepKey": "s", "upstreamOutputName": "o"},
        ),
        (
            LogsCaptured(log_key=("r", "compute_logs", "f"), steps=("s",)),
            "LogsCapturedEvent",
            "logKey fileKey stepKeys",
            {"logKey": ["r", "compute_logs", "f"], "fileKey": "f", "stepKeys": ["s"]},
        ),
        (
            AssetMaterialization(asset="mart/totals", partition="p", description="d", tags={"a": "b"}),
            "MaterializationEvent",
            "assetKey { path } partition description tags { key value }",
            {
                "assetKey": {"path": ["mart", "totals"]},
                "partition": "p",
                "description": "d",
                "tags": [{"key": "a", "value": "b"}],
            },
        ),
        (
            AssetObservation(asset="orders"),
            "ObservationEvent",
            "assetKey { path } partition",
            {"assetKey": {"path": ["orders"]}, "partition": None},
        ),
        (
            AssetMaterializationPlanned(asset="orders", partition="p"),
            "AssetMaterializationPlannedEvent",
            "assetKey { path } partition",
            {"assetKey": {"path": ["orders"]}, "partition": "p"},
        ),
        (
            AssetCheckEvaluation(asset="mart/totals", check="positive", passed=False, severity="WARN"),
            "AssetCheckEvaluationEvent",
            "evaluation { checkName assetKey { path } success severity metadataEntries { label } }",
            {
                "evaluation": {
                    "checkName": "positive",
                    "assetKey": {"path": ["mart", "totals"]},
                    "success": False,
                    "severity": "WARN",
                    "metadataEntries": [],
                }
            },
        ),
        (
            RunFailure(reason=FailureReason.STEP_FAILURE, message="m", failed_steps=("s",)),
            "RunFailureEvent",
            "reason failedStepKeys error { message }",
            {"reason": "STEP_FAILURE", "failedStepKeys": ["s"], "error": None},
        ),
    ],
)
def test_each_kind_has_its_own_fields(log: Log, fact: Fact, kind: str, fields: str, told: Any) -> None:
    log.write(fact)
    assert log.only(kind, fields) == told


def test_every_fact_has_a_type_of_the_schema() -> None:
    assert len(Fact.__args__) == len(EVENT_TYPES)
    note = StoredEvent(id=1, event=Event(time=0.0, fact=RunStart()))
    assert type_of_event(note) == "EngineEvent"
    schema = load_api().schema
    message_event = schema.type_map["MessageEvent"]
    names = {each.name for each in schema.get_possible_types(message_event)}  # type: ignore[arg-type]  # an interface
    assert type_of_event(note) in names


def test_notes_of_the_engine(log: Log) -> None:
    log.write(EngineNote(message="hello", metadata={"n": IntMetadataValue(1)}, error=ERROR))
    log.write(ResourceInitSuccess(seconds={"db": 0.25}))
    log.write(StepInput(input="x", metadata={"rows": IntMetadataValue(1)}), step="extract")
    query = """query Q($id: ID!) {
        logsForRun(runId: $id, types: ["ENGINE_EVENT", "RESOURCE_INIT_SUCCESS", "STEP_INPUT"]) {
        ... on EventConnection { events { message ... on EngineEvent {
            error { message } metadataEntries { label ... on FloatMetadataEntry { floatValue } } } } } } }"""
    note, resources, given = log.deployment.ask(query, id=log.run.run_id)["logsForRun"]["events"]
    assert note["message"] == "hello"
    assert note["error"] == {"message": "no rows"}
    assert note["metadataEntries"] == [{"label": "n"}]
    assert resources["metadataEntries"] == [{"label": "db (seconds)", "floatValue": 0.25}]
    assert given["metadataEntries"] == [{"label": "rows"}]


def test_every_kind_of_metadata(log: Log) -> None:
    log.write(AssetMaterialization(asset="orders", metadata=METADATA))
    found = {each["label"]: each for each in log.only("MaterializationEvent", ENTRIES)["metadataEntries"]}
    assert found.keys() == METADATA.keys()
    told = {
        label: {key: value for key, value in each.items() if key not in ("__typename", "label", "description")}
        for label, each in found.items()
    }
    columns = [{"name": "n", "type": "int", "description": "a number"}]
    assert told == {
        "text": {"text": "plain"},
        "md": {"mdStr": "**bold**"},
        "int": {"intValue": 3, "intRepr": "3"},
        "huge": {"intValue": None, "intRepr": str(1 << 40)},
        "float": {"floatValue": 0.5, "floatRepr": "0.5"},
        "nan": {"floatValue": None, "floatRepr": "nan"},
        "bool": {"boolValue": True},
        "json": {"jsonString": '{"a":[1]}'},
        "url": {"url": "https://example.com"},
        "path": {"path": "/data/x"},
        "time": {"timestamp": 1.5},
        "asset": {"assetKey": {"path": ["mart", "totals"]}},
        "run": {"runId": "some-run"},
        "table": {"table": {"records": ['{"n":1}'], "schema": {"columns": columns}}},
        "schema": {
            "schema": {
                "constraints": {"other": ["sorted"]},
                "columns": [
                    {
                        "name": "n",
                        "constraints": {"nullable": False, "unique": False, "other": ["n > 0"]},
                        "tags": [{"key": "pii", "value": "no"}],
                    }
                ],
            }
        },
        "lineage": {
            "lineage": [
                {"columnName": "n", "columnDeps": [{"assetKey": {"path": ["orders"]}, "columnName": "n"}]},
                {"columnName": "m", "columnDeps": []},
            ]
        },
        "job": {"jobName": "nightly", "locationName": "shop", "repositoryName": "__repository__"},
        "pool": {"pool": "db"},
        "artifact": {"module": "shop.load", "name": "Loader"},
        "code": {
            "codeReferences": [
                {"filePath": "/shop/load.py", "lineNumber": 3, "label": None},
                {"url": "https://example.com/load.py", "label": "load"},
            ]
        },
        "null": {},
    }


def test_pages_go_on_where_the_last_one_ended(log: Log) -> None:
    log.write(*(LogLine(level="INFO", message=f"line {n}") for n in range(10)))
    everything = [event["eventId"] for event in log.read()["events"]]
    seen: list[str] = []
    cursor = None
    for _ in range(len(everything)):
        page = log.read(after=cursor, limit=3)
        seen += [event["eventId"] for event in page["events"]]
        cursor = page["cursor"]
        if not page["hasMore"]:
            break
    assert seen == everything
    assert log.read(after=cursor) == {"__typename": "EventConnection", "cursor": cursor, "hasMore": False, "events": []}
    log.write(LogLine(level="INFO", message="later"))
    assert [event["message"] for event in log.read(after=cursor)["events"]] == ["later"]


def test_filters_come_before_the_limit(log: Log) -> None:
    for n in range(20):
        log.write(LogLine(level="ERROR" if n % 5 == 0 else "INFO", message=f"line {n}"), step=f"s{n % 2}")
    errors = log.read(levels=["ERROR"], limit=3)
    assert [event["message"] for event in errors["events"]] == ["line 0", "line 5", "line 10"]
    assert errors["hasMore"]
    rest = log.read(levels=["ERROR"], limit=3, after=errors["cursor"])
    assert [event["message"] for event in rest["events"]] == ["line 15"]
    assert not rest["hasMore"]
    assert [event["message"] for event in log.read(text="LINE 1", steps=["s1"], limit=2)["events"]] == [
        "line 1",
        "line 11",
    ]
    assert [event["eventType"] for event in log.read(types=["RUN_START"])["events"]] == ["RUN_START"]


def test_text_is_looked_for_in_errors_too(log: Log) -> None:
    log.write(StepFailure(error=ERROR), step="s")
    assert [event["eventType"] for event in log.read(text="no rows")["events"]] == ["STEP_FAILURE"]


def test_a_long_log_is_looked_through_in_parts(log: Log) -> None:
    for _ in range(6):
        log.write(*(LogLine(level="DEBUG", message="noise") for _ in range(1000)))
    log.write(LogLine(level="ERROR", message="the needle"))
    found: list[str] = []
    cursor, more, parts = None, True, 0
    while more:
        page = log.read(text="needle", limit=10, after=cursor)
        found += [event["message"] for event in page["events"]]
        cursor, more, parts = page["cursor"], page["hasMore"], parts + 1
    assert found == ["the needle"]
    assert parts == 2


def test_a_run_that_is_not_there(ask: Any) -> None:
    assert ask(OF_RUN, id="x")["logsForRun"]["__typename"] == "RunNotFoundError"
