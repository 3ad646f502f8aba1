"""Schema and answers belong together: every field is answered, every input is a record, every mutation is guarded."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
    validate_schema,
)

from penstock.auth.permissions import Actor, Role
from penstock.web.graphql.fields import camel, snake
from penstock.web.graphql.inputs import INPUTS
from penstock.web.graphql.schema import load_api, schema_text

SCHEMA = load_api().schema
MUTATION = SCHEMA.type_map["Mutation"]
assert isinstance(MUTATION, GraphQLObjectType)
MUTATIONS = MUTATION.fields

SAMPLES: dict[str, str] = {
    "ExecutionParams!": '{selector: {repositoryLocationName: "shop", pipelineName: "nightly"}}',
    "[ExecutionParams!]!": '[{selector: {repositoryLocationName: "shop", pipelineName: "nightly"}}]',
    "ReexecutionParams!": '{parentRunId: "x", strategy: ALL_STEPS}',
    "LaunchBackfillParams!": '{repositoryLocationName: "shop"}',
    "String!": '"shop"',
    "ID!": '"shop/schedule/at_night"',
    "Int!": "1",
    "Float!": "1.0",
    "InstigationOverrideInput!": "{pausedUntil: 1.0}",
    "[String!]!": '["x"]',
    "ScheduleSelector!": '{repositoryLocationName: "shop", scheduleName: "at_night"}',
    "SensorSelector!": '{repositoryLocationName: "shop", sensorName: "new_files"}',
    "ReportRunlessAssetEventsParams!": '{eventType: ASSET_MATERIALIZATION, assetKey: {path: ["orders"]}}',
}


def test_the_schema_is_valid() -> None:
    assert validate_schema(build_schema(schema_text())) == []  # raises where its text is wrong


def test_every_field_has_a_resolver() -> None:
    open_fields = [
        f"{name}.{field}"
        for name, kind in SCHEMA.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
        for field, definition in kind.fields.items()
        if definition.resolve is None
    ]
    assert not open_fields


def test_every_input_is_a_record_with_the_same_fields() -> None:
    for name, kind in SCHEMA.type_map.items():
        if isinstance(kind, GraphQLInputObjectType):
            assert {snake(field) for field in kind.fields} == set(INPUTS[name].__struct_fields__), name


def test_every_root_field_says_what_it_gives() -> None:
    for root in (SCHEMA.type_map["Query"], MUTATION):
        assert isinstance(root, GraphQLObjectType)
        assert not [name for name, field in root.fields.items() if not field.description]


def test_every_mutation_names_its_permission() -> None:
    assert not [name for name, answer in load_api().answers["Mutation"].items() if answer.needs is None]


def _call(name: str) -> str:
    field = MUTATIONS[name]
    given = ", ".join(
        f"{argument}: {SAMPLES[str(definition.type)]}"
        for argument, definition in field.args.items()
        if str(definition.type).endswith("!")
    )
    fields = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"mutation {{ {name}{f'({given})' if given else ''}{fields} }}"


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_viewer_changes_nothing(deployment: Any, name: str) -> None:
    viewer = Actor(name="vera", roles={None: Role.VIEWER})
    outcome = deployment.execute(_call(name), actor=viewer)
    union = get_named_type(MUTATIONS[name].type)
    members = union.types if isinstance(union, GraphQLUnionType) else ()
    if any(member.name == "UnauthorizedError" for member in members):
        assert outcome.body == {"data": {name: {"__typename": "UnauthorizedError"}}}
    else:
        assert "vera may not do this" in outcome.body["errors"][0]["message"]


def test_a_role_in_one_location_does_not_reach_another(deployment: Any) -> None:
    actor = Actor(name="bob", roles={None: Role.VIEWER, "bank": Role.ADMIN})
    outcome = deployment.execute(_call("startSchedule"), actor=actor)
    assert outcome.body["data"]["startSchedule"]["__typename"] == "UnauthorizedError"


def test_names_in_both_spellings() -> None:
    assert camel("step_keys_to_execute") == "stepKeysToExecute"
    assert snake("stepKeysToExecute") == "step_keys_to_execute"
    assert snake("id") == "id_"
    assert camel("id_") == "id"
