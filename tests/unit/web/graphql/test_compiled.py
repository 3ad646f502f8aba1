"""The compiled form of an operation answers exactly as the library's executor does, errors with their places too."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetMaterialization,
    Event,
    Fact,
    LogLine,
    LogsCaptured,
    RunEnqueued,
    RunFailure,
    RunStart,
    StepFailure,
    StepStart,
)
from penstock.records.metadata import IntMetadataValue, Metadata, TextMetadataValue
from penstock.records.run import FailureReason
from penstock.web.graphql import compiled, context
from penstock.web.graphql.compiled import compile_operation
from penstock.web.graphql.execute import GraphQLRequest, run_request
from penstock.web.graphql.fields import Answer
from penstock.web.graphql.schema import Api, load_api
from penstock.web.graphql.state import State

GENERATED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def both_ways(api: Api, query: str, contexts: tuple[Any, Any], variables: dict[str, Any] | None = None) -> Any:
    """The data, after comparing data and errors of the two executors."""
    document = parse(query)
    assert not validate(api.schema, document)
    (operation,) = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    fragments = {each.name.value: each for each in document.definitions if each is not operation}  # type: ignore[attr-defined]
    values = get_variable_values(api.schema, operation.variable_definitions or (), variables or {})
    assert not isinstance(values, list)
    state = State(contexts[0], values)
    data = compile_operation(api, operation, fragments, values)(state)  # type: ignore[arg-type]
    expected = execute_sync(api.schema, document, context_value=contexts[1], variable_values=variables)
    assert data == expected.data
    told = [error.formatted for error in state.errors]
    assert sorted(map(repr, told)) == sorted(repr(error.formatted) for error in expected.errors or ())
    return data


# -- our schema, with queries at random ------------------------------------------------------------------------------

ARGUMENTS: dict[str, list[str]] = {
    "RepositorySelector": ['{repositoryLocationName: "shop"}', '{repositoryLocationName: "none"}'],
    "PipelineSelector": ['{repositoryLocationName: "shop", pipelineName: "nightly"}'],
    "AssetGroupSelector": ['{repositoryLocationName: "shop", groupName: "raw"}'],
    "ScheduleSelector": ['{repositoryLocationName: "shop", scheduleName: "at_night"}'],
    "SensorSelector": ['{repositoryLocationName: "shop", sensorName: "new_files"}'],
    "InstigationSelector": ['{repositoryLocationName: "shop", name: "new_files"}'],
    "AssetKeyInput": ['{path: ["orders"]}', '{path: ["mart", "totals"]}', '{path: ["none"]}'],
    "AssetCheckHandleInput": ['{assetKey: {path: ["mart", "totals"]}, name: "positive"}'],
    "RunsFilter": ["{}", "{statuses: [FAILURE]}"],
    "AssetBackfillPreviewParams": ['{assetSelection: [{path: ["orders"]}]}'],
    "BulkActionStatus": ["REQUESTED"],
    "BulkActionsFilter": ["{}", "{statuses: [CANCELED]}"],
    "Int": ["0", "1", "3", "-1"],
    "Float": ["1700000000.0"],
    "Boolean": ["true", "false"],
    "LogLevel": ["ERROR"],
    "InstigationStatus": ["RUNNING"],
    "InstigationTickStatus": ["SUCCESS"],
    "AlertDeliveryStatus": ["DELIVERED"],
    "OneOffRunStatus": ["WAITING"],
    "OperatorActKind": ["START"],
    "RunConfigData": ["{}", '"ops: {}"'],
}
# Numbers, not times: the two executions are a moment apart.
LEFT_OUT = {"capturedLogs", "updatedTimestamp", "storage", "processes"}


class Writer:
    """Writes valid queries by chance."""

    def __init__(self, schema: GraphQLSchema, chance: random.Random, run_ids: list[str]) -> None:
        self.schema, self.chance, self.run_ids = schema, chance, run_ids
        self.alias = 0

    def query(self) -> str:
        root = self.schema.type_map["Query"]
        return "query Generated { " + self.selection(root, 4, width=3) + " }"

    def selection(self, kind: GraphQLNamedType, depth: int, width: int = 5) -> str:
        parts = ["__typename"] if self.chance.random() < 0.3 else []
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            members = [each for each in self.schema.get_possible_types(kind) if self.chance.random() < 0.7]
            parts += [f"... on {member.name} {{ {self.selection(member, depth)} }}" for member in members]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            names = [name for name in kind.fields if name not in LEFT_OUT]
            for name in self.chance.sample(names, min(len(names), width)):
                parts += self.field(name, kind.fields[name], depth)
        return " ".join(parts) or "__typename"

    def field(self, name: str, definition: GraphQLField, depth: int) -> list[str]:
        given = []
        for argument, declared in definition.args.items():
            required = str(declared.type).endswith("!")
            if required or self.chance.random() < 0.4:
                given.append(f"{argument}: {self.value(argument, str(declared.type))}")
        self.alias += 1
        call = f"f{self.alias}: {name}" + (f"({', '.join(given)})" if given else "")
        if self.chance.random() < 0.05:
            call += f" @{self.chance.choice(['skip', 'include'])}(if: {self.chance.choice(['true', 'false'])})"
        named = get_named_type(definition.type)
        if is_leaf_type(named):
            return [call]
        return [f"{call} {{ {self.selection(named, depth - 1)} }}"] if depth else []

    def value(self, argument: str, kind: str) -> str:
        bare = kind.rstrip("!")
        if bare.startswith("["):
            return f"[{self.value(argument, bare[1:-1])}]"
        if bare in ("ID", "String") and argument in ("runId", "cursor", "afterCursor", "runIds"):
            return f'"{self.chance.choice([*self.run_ids, "12"])}"'
        return self.chance.choice(ARGUMENTS.get(bare, ['"shop"', '"orders"', '"2024-01-02"', '"7"']))


@pytest.fixture
def filled(deployment: Any) -> list[str]:
    """Ids of runs with events of many kinds."""
    storage = deployment.storage
    queued = deployment.run(RunEnqueued(), tags={"a": "b"}, run_config={"ops": {}})
    worked = deployment.run()
    storage.runs.claim([worked.run_id], owner="worker", until=9e9, now=100.0)
    error = ErrorInfo(cls="E", message="m", cause=ErrorInfo(cls="F", message="n"))
    metadata: Metadata = {"n": IntMetadataValue(1), "t": TextMetadataValue("x")}
    facts: list[Fact] = [
        RunStart(pid=1),
        LogsCaptured(log_key=(worked.run_id, "compute_logs", "s"), steps=("s",)),
        StepStart(),
        LogLine(level="ERROR", message="oh"),
        AssetMaterialization(asset="orders", partition="2024-01-02", metadata=metadata),
        AssetMaterialization(asset="mart/totals", metadata=metadata),
        AssetCheckEvaluation(asset="mart/totals", check="positive", passed=False),
        StepFailure(error=error),
        RunFailure(reason=FailureReason.STEP_FAILURE, message="failed", error=error),
    ]
    events = [Event(time=100.0 + n, fact=fact, step_key="s", seq=n) for n, fact in enumerate(facts, start=1)]
    storage.events.append(worked.run_id, 1, events, now=100.0)
    return [queued.run_id, worked.run_id]


def test_each_kind_of_argument_has_examples() -> None:
    roots = load_api().schema.type_map.values()
    taken = {
        get_named_type(argument.type)
        for kind in roots
        if isinstance(kind, GraphQLObjectType) and kind.name != "Mutation"
        for field in kind.fields.values()
        for argument in field.args.values()
    }
    lacking = {each.name for each in taken if each.name not in ("ID", "String")} - ARGUMENTS.keys()
    assert not lacking, f"add examples of {', '.join(sorted(lacking))} to ARGUMENTS"


@pytest.fixture(params=["items", "columns"])
def lists(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether lists of objects are completed item by item or, as long ones are, field by field."""
    monkeypatch.setattr(compiled, "_FEW", -1 if request.param == "columns" else 1 << 30)
    return str(request.param)


@GENERATED
@given(seed=st.integers(0, 1 << 32))
@pytest.mark.usefixtures("lists")
def test_generated_queries(deployment: Any, filled: list[str], seed: int) -> None:
    query = Writer(load_api().schema, random.Random(seed), filled).query()
    contexts = (deployment.context(), deployment.context())
    contexts[1].now = contexts[0].now
    both_ways(load_api(), query, contexts)


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.usefixtures("lists")
def test_parts_that_are_skipped_or_asked_for_twice(deployment: Any, filled: list[str], wanted: bool) -> None:
    query = """query Q($wanted: Boolean!, $limit: Int = 2) {
        runsOrError(limit: $limit) { ...A ... @include(if: $wanted) { ...B } ... on Error { message } __typename }
        twice: assetNodes { id @skip(if: $wanted) repository { name } }
        twice: assetNodes { repository { location { name } ... on Repository { id } } }
    }
    fragment A on Runs { results { runId ...C } }
    fragment B on Runs { count results { status ...C } }
    fragment C on Run { tags { key value } }"""
    contexts = (deployment.context(), deployment.context())
    data = both_ways(load_api(), query, contexts, {"wanted": wanted})
    assert ("count" in data["runsOrError"]) is wanted
    assert len(data["runsOrError"]["results"]) == 2


# -- a small schema, with faults at random ---------------------------------------------------------------------------

SMALL = build_schema("""
    type Query { node: Node must: Node! }
    enum Colour { RED GREEN }
    interface Named { name: String }
    type Node implements Named {
        name: String strict: String! number: Int float: Float! colour: Colour flag: Boolean id: ID
        texts: [String!]! holes: [String] numbers: [Int!]! floats: [Float] colours: [Colour!] rows: [[Int!]!]!
        ragged: [[String]]
        node: Node must: Node! list: [Node] full: [Node!]! named: Named either: Either echo(text: String = "x"): String
    }
    type Other implements Named { name: String strict: String! }
    union Either = Node | Other
""")

SELECTION = """name strict number float colour flag id texts holes numbers floats colours rows ragged echo
    other: echo(text: "y")"""
DEEP = f"""{{
    node {{ {SELECTION} node {{ {SELECTION} }} must {{ {SELECTION} }} list {{ {SELECTION} full {{ {SELECTION} }} }}
        full {{ {SELECTION} must {{ {SELECTION} list {{ {SELECTION} }} }} }}
        named {{ __typename name ... on Other {{ strict }} }}
        either {{ ... on Node {{ {SELECTION} }} ... on Named {{ name }} }} }}
    must {{ {SELECTION} full {{ must {{ {SELECTION} }} }} }}
}}"""


class Source(SimpleNamespace):
    """An object of the small schema; an attribute that is an exception is raised."""


def small_api() -> Api:
    def resolver(name: str) -> Any:
        def resolve(source: Any, _context: Any, **given: Any) -> Any:
            value = getattr(source, name)
            if isinstance(value, Exception):
                raise value
            return f"{value}{given}" if given and value is not None else value

        return resolve

    def bind(field: GraphQLField, resolve: Any) -> None:
        def by_library(source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
            return resolve(source or info.context, info.context, **given)

        field.resolve = by_library

    resolvers: dict[str, dict[str, Any]] = {}
    for name, kind in SMALL.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            resolvers[name] = {field: resolver(field) for field in kind.fields}
            for field, definition in kind.fields.items():
                bind(definition, resolvers[name][field])
        elif isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = lambda value, _info, _kind: value.kind
    resolvers["Query"] = {name: _from_context(resolve) for name, resolve in resolvers["Query"].items()}
    answers = {name: {field: Answer(call) for field, call in fields.items()} for name, fields in resolvers.items()}
    return Api(SMALL, answers, resolvers)


def _from_context(resolve: Any) -> Any:
    return lambda _source, context, **given: resolve(context, context, **given)


SMALL_API = small_api()


def source(chance: random.Random, depth: int) -> Any:
    """An object with faults here and there."""

    def some(*values: Any) -> Any:
        return chance.choice([*values, *values, *values, None, ValueError("fault"), object()])

    def inner() -> Any:
        return source(chance, depth - 1) if depth else None

    def several() -> Any:
        return some([inner() for _ in range(chance.randrange(3))], (inner(), None))

    return Source(
        kind=chance.choice(["Node", "Other"]),
        name=some("a", "b"),
        strict=some("a"),
        number=some(1, 1 << 40, True, 2.0),
        float=some(1.5, 2, float("nan"), float("inf")),
        colour=some("RED", "GREEN", "BLUE"),
        flag=some(True, False, 1),
        id=some("a", 3),
        texts=some(["a"], ["a", None], ["a", 1], "text"),
        holes=some(["a", None], [None], ("a",)),
        numbers=some([], [1, 2], [1, 1 << 40], [-(1 << 40)], [1, True], [None], (3,)),
        floats=some([1.5, None], [2, 0.5], [float("nan")], [float("-inf"), 1.0]),
        colours=some(["RED"], ["GREEN", "RED"], ["RED", "BLUE"], ["RED", None], [["RED"]]),
        rows=some([], [[1], []], ([1], (2, 3)), [[1], None], [[1], [None]], [[1 << 40]], [1], ["ab"], [{1}]),
        ragged=some([["a", None], None], [("a",), []], [["a", 1]]),
        echo=some("e"),
        node=some(inner()),
        must=some(inner(), inner()),
        list=several(),
        full=several(),
        named=some(inner()),
        either=some(inner()),
    )


@GENERATED
@given(seed=st.integers(0, 1 << 32))
@pytest.mark.usefixtures("lists")
def test_faults_end_where_a_null_may_be(seed: int) -> None:
    chance = random.Random(seed)
    root = SimpleNamespace(node=source(chance, 2), must=source(chance, 2), allowance=(0, 0))
    both_ways(SMALL_API, DEEP, (root, root))


# -- long lists ------------------------------------------------------------------------------------------------------


def plain(number: int, **others: Any) -> Any:
    """An object of the small schema without faults."""
    fields = {
        "kind": "Node" if number % 2 else "Other",
        "name": None if number % 3 else f"name {number}",
        "strict": f"strict {number}",
        "number": number,
        "float": number,
        "colour": "RED",
        "flag": None,
        "id": number,
        "texts": ["a"] * (number % 3),
        "holes": [None, "b"],
        "numbers": [number],
        "floats": [1.5, number],
        "colours": [],
        "rows": [[number], []],
        "ragged": [["a", None], None],
        "echo": "e",
        **dict.fromkeys(("node", "must", "list", "full", "named", "either")),
    }
    return Source(**{**fields, **others})


LONG = """{ node {
    full { strict number either { ... on Named { name } } must { strict rows full { id texts } } list { name } }
} }"""


def ask_long(items: list[Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Counter[str]]:
    """The data of a long list, and how often each field of the items was asked for."""
    asked: Counter[str] = Counter()

    def counted(name: str, resolve: Any) -> Any:
        def resolve_and_count(source: Any, context: Any, **given: Any) -> Any:
            asked[name] += 1
            return resolve(source, context, **given)

        return resolve_and_count

    of_nodes = {name: counted(name, resolve) for name, resolve in SMALL_API.resolvers["Node"].items()}
    api = SMALL_API._replace(resolvers={**SMALL_API.resolvers, "Node": of_nodes})
    shared = SimpleNamespace(node=plain(0, full=items), must=None, allowance=(0, 0))
    return both_ways(api, LONG, (shared, shared)), asked


def test_what_many_items_share_is_completed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = plain(1, full=[plain(2), plain(3)])
    items = [plain(number, must=shared, either=shared, list=[None, plain(number)]) for number in range(1000)]
    data, asked = ask_long(items, monkeypatch)
    assert len(data["node"]["full"]) == 1000
    assert (asked["number"], asked["rows"], asked["texts"], asked["list"]) == (1000, 1, 2, 1000)


def test_one_fault_in_a_long_list_is_told_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = plain(1, full=[plain(2), plain(3)])
    items = [plain(number, must=shared) for number in range(1000)]
    items[700].number = ValueError("fault")
    data, asked = ask_long(items, monkeypatch)
    assert data["node"]["full"][700]["number"] is None
    assert asked["strict"] == 3000  # in the first attempt, and then with the shared one of each


def test_a_part_that_is_begun_anew_is_paid_for_once(deployment: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_FEW", 0)
    monkeypatch.setattr(context, "_LOOK_EVERY", 0)
    query = "{ assetNodes { tags { key } partitionKeyConnection(limit: -1) { partitionKeys } } }"
    request = GraphQLRequest(query=query)
    outcome = run_request(request, deployment.context(objects=4))  # three assets and a tag
    (error,) = outcome.body["errors"]
    assert error["path"][0] == "assetNodes"
    assert "more than" not in error["message"]
    assert "more than" in run_request(request, deployment.context(objects=3)).body["errors"][0]["message"]
