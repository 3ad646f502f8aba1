"""The check: defaults filled, all mistakes at once, each with place, value and remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import decode_json, encode_json
from penstock.config.check import check
from penstock.config.problems import Checked, ConfigProblem
from penstock.config.scaffold import scaffold
from penstock.config.schema import (
    Array,
    ConfigType,
    Enum,
    Field,
    MapOf,
    Noneable,
    Permissive,
    Scalar,
    ScalarKind,
    ScalarUnion,
    Selector,
    Shape,
)
from penstock.errors import InvalidRunConfigError

INT = Scalar(kind="int")
TEXT = Scalar(kind="str")


def _messages(schema: ConfigType, value: object) -> list[str]:
    return [problem.message for problem in check(schema, value).problems]


def test_a_shape_fills_in_defaults_and_the_defaults_inside_them() -> None:
    inner = Shape(fields={"limit": Field(type=INT, required=False, default=10)})
    schema = Shape(fields={"config": Field(type=inner, required=False, default={}), "name": Field(type=TEXT)})
    assert check(schema, {"name": "x"}).unwrap("It") == {"name": "x", "config": {"limit": 10}}


def test_an_absent_field_without_a_default_stays_absent() -> None:
    schema = Shape(fields={"limit": Field(type=INT, required=False)})
    assert check(schema, {}).unwrap("It") == {}


def test_null_counts_as_an_empty_mapping_or_list() -> None:
    schema = Shape(fields={"limit": Field(type=INT, required=False, default=1)})
    assert check(schema, None).unwrap("It") == {"limit": 1}
    assert check(Array(item=INT), None).unwrap("It") == []


def test_an_enum_without_words_refuses_everything() -> None:
    assert _messages(Enum(values=()), "x") == [
        "The config must be one of nothing, not the text 'x'; give one of these words."
    ]


def test_all_mistakes_are_reported_at_once() -> None:
    load = Shape(fields={"limit": Field(type=INT), "table": Field(type=TEXT)})
    schema = Shape(fields={"ops": Field(type=Shape(fields={"load": Field(type=load)}))})
    outcome = check(schema, {"ops": {"load": {"limt": 1, "table": 3}}, "extra": 1})
    assert {(problem.path, problem.reason) for problem in outcome.problems} == {
        (("ops", "load"), ConfigProblem.MISSING_REQUIRED_FIELD),
        (("ops", "load", "limt"), ConfigProblem.FIELD_NOT_DEFINED),
        (("ops", "load", "table"), ConfigProblem.RUNTIME_TYPE_MISMATCH),
        (("extra",), ConfigProblem.FIELD_NOT_DEFINED),
    }
    messages = [problem.message for problem in outcome.problems]
    assert '"ops.load" lacks the required field "limit" (a whole number); add it.' in messages
    assert '"ops.load" has no field "limt"; did you mean "limit"?' in messages
    assert '"ops.load.table" must be text, not 3 (a whole number); give text in quotes, or {env: NAME}.' in messages
    assert 'The config has no field "extra"; remove it, or use "ops".' in messages


def test_unwrap_raises_one_error_with_every_sentence() -> None:
    outcome = check(Shape(fields={"a": Field(type=INT), "b": Field(type=INT)}), {})
    with pytest.raises(InvalidRunConfigError, match='The run config of job "x" has 2 mistakes') as caught:
        outcome.unwrap('The run config of job "x"')
    assert caught.value.problems == outcome.problems


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("int", 1, True),
        ("int", True, False),
        ("int", 1.0, False),
        ("int", "1", False),
        ("float", 1, True),
        ("float", 1.5, True),
        ("float", True, False),
        ("bool", False, True),
        ("bool", 0, False),
        ("str", "x", True),
        ("str", None, False),
        ("any", None, True),
        ("any", [1, {"a": 2}], True),
    ],
)
def test_scalars_take_their_own_kind_alone(kind: ScalarKind, value: object, fits: bool) -> None:
    outcome = check(Scalar(kind=kind), value)
    assert outcome.ok is fits
    assert outcome.value == value


def test_every_scalar_but_any_may_come_from_the_environment() -> None:
    for kind in ("int", "float", "bool", "str"):
        assert check(Scalar(kind=kind), {"env": "NAME"}).unwrap("It") == {"env": "NAME"}
    assert not check(INT, {"env": 3}).ok
    assert not check(INT, {"env": "NAME", "more": 1}).ok


def test_an_enum_names_its_words_and_the_nearest() -> None:
    assert check(Enum(values=("red", "green")), "red").ok
    assert _messages(Enum(values=("red", "green")), "gren") == [
        'The config must be one of "red" or "green", not the text \'gren\'; did you mean "green"?'
    ]


def test_list_items_are_named_by_their_position() -> None:
    outcome = check(Array(item=INT), [1, "two", 3, None])
    assert [problem.path for problem in outcome.problems] == [("1",), ("3",)]
    assert _messages(Array(item=INT), 5) == [
        "The config must be a list, each item a whole number, not 5 (a whole number); give a list, even for one item."
    ]


def test_null_fits_where_it_is_allowed() -> None:
    assert check(Noneable(inner=INT), None).unwrap("It") is None
    assert _messages(Noneable(inner=INT), "x")[0].startswith("The config must be a whole number, not the text 'x'")


def test_a_map_checks_keys_and_values() -> None:
    outcome = check(MapOf(key="int", value=TEXT), {"1": "a", 2: "b", "three": "c", "4": 4})
    assert [problem.path for problem in outcome.problems] == [("three",), ("4",)]


def test_a_permissive_shape_keeps_other_keys() -> None:
    schema = Permissive(fields={"a": Field(type=INT)})
    assert check(schema, {"a": 1, "b": [2]}).unwrap("It") == {"a": 1, "b": [2]}
    assert not check(schema, {"a": "x"}).ok


def test_a_selector_takes_exactly_one() -> None:
    schema = Selector(fields={"in_process": Field(type=Shape()), "multiprocess": Field(type=Shape())})
    assert check(schema, {"in_process": {}}).ok
    both = check(schema, {"in_process": {}, "multiprocess": {}}).problems
    assert [problem.reason for problem in both] == [ConfigProblem.SELECTOR_FIELD_ERROR]
    assert both[0].message == (
        'The config takes exactly one of "in_process" or "multiprocess", '
        'but "in_process" and "multiprocess" are given; keep one.'
    )
    assert _messages(schema, {}) == [
        'The config takes exactly one of "in_process" or "multiprocess", but none is given; add one.'
    ]
    assert _messages(schema, {"multi_process": {}}) == [
        'The config has no field "multi_process"; did you mean "multiprocess"?'
    ]


def test_a_selector_with_one_optional_field_needs_no_value() -> None:
    schema = Selector(fields={"console": Field(type=Shape(), required=False, default={})})
    assert check(schema, None).unwrap("It") == {"console": {}}


def test_a_secret_is_not_shown_in_its_own_problem() -> None:
    schema = Shape(fields={"password": Field(type=Shape(fields={"text": Field(type=TEXT)}), secret=True)})
    message = _messages(schema, {"password": {"text": 12345}})[0]
    assert "12345" not in message
    assert "hidden" in message


def test_long_values_and_long_lists_of_names_are_cut() -> None:
    fields = {f"field_{index:03}": Field(type=INT, required=False) for index in range(200)}
    message = _messages(Shape(fields=fields), {"x" * 5000: 1})[0]
    assert "180 more" in message
    assert len(_messages(INT, "y" * 5000)[0]) < 300


def test_a_path_begins_where_the_caller_says() -> None:
    outcome = check(INT, "x", path=("resources", "db"), root="the run config")
    assert outcome.problems[0].path == ("resources", "db")
    assert outcome.problems[0].message.startswith('"resources.db" must be')


@given(data=st.data())
def test_a_scaffold_fits_its_schema(data: st.DataObject, schemas: st.SearchStrategy[ConfigType]) -> None:
    schema = data.draw(schemas)
    assert check(schema, scaffold(schema)).problems == ()


@given(data=st.data())
def test_a_schema_survives_the_wire(data: st.DataObject, schemas: st.SearchStrategy[ConfigType]) -> None:
    schema = data.draw(schemas)
    assert decode_json(encode_json(schema), ConfigType) == schema  # type: ignore[arg-type]  # a union is a kind too


@given(data=st.data())
def test_any_value_gets_an_answer_and_a_checked_value_checks_again(
    data: st.DataObject, schemas: st.SearchStrategy[ConfigType], values: st.SearchStrategy[object]
) -> None:
    schema = data.draw(schemas)
    outcome = check(schema, data.draw(values))
    for problem in outcome.problems:
        assert problem.message[-1] in ".?"
        assert all(isinstance(part, str) for part in problem.path)
    if outcome.ok:
        assert check(schema, outcome.value) == Checked(value=outcome.value)


def test_a_field_may_be_given_under_its_alias() -> None:
    schema = Shape(fields={"name": Field(type=TEXT), "size": Field(type=INT)}, aliases={"name": "nm"})
    assert check(schema, {"nm": "x", "size": 1}).unwrap("It") == {"name": "x", "size": 1}
    assert _messages(schema, {"nm": "x", "name": "y", "size": 1}) == [
        'The config has "nm" beside "name", which is the same field; keep one.'
    ]
    assert _messages(schema, {"nm": 3, "size": 1}) == [
        '"name" must be text, not 3 (a whole number); give text in quotes, or {env: NAME}.'
    ]


def test_one_value_or_the_longer_form() -> None:
    schema = ScalarUnion(scalar=INT, other=Shape(fields={"a": Field(type=TEXT)}))
    for fitting in (3, {"a": "x"}, {"env": "NAME"}):
        assert check(schema, fitting).unwrap("It") == fitting
    assert _messages(schema, {"a": 1}) == [
        '"a" must be text, not 1 (a whole number); give text in quotes, or {env: NAME}.'
    ]
    assert _messages(schema, "x") == [
        "The config must be a whole number or a mapping, not the text 'x'; give for example 3, or {env: NAME}."
    ]


def test_a_number_may_be_whole_and_becomes_a_float() -> None:
    kind = Scalar(kind="float")
    value = check(kind, 3).unwrap("It")
    assert (value, type(value)) == (3.0, float)
    assert check(kind, 10**400).unwrap("It") == 10**400


def test_what_a_key_stands_for_is_told() -> None:
    schema = MapOf(value=INT, key="int", key_label="year")
    assert _messages(schema, {"x": 1})[0].startswith('The key (year) of "x" must be a whole number')


def test_a_missing_mapping_is_told_by_its_innermost_required_fields_with_a_stub() -> None:
    rows = Field(type=Scalar(kind="int"), description="How many to load.")
    config = Shape(
        fields={
            "rows": rows,
            "mode": Field(type=Scalar(kind="str")),
            "own": Field(type=Scalar(kind="str"), required=False),
        }
    )
    schema = Shape(fields={"ops": Field(type=Shape(fields={"load": Field(type=config)}))})
    (problem,) = check(schema, {}).problems
    assert problem.message == (
        'The config lacks the required fields "ops.load.rows" (a whole number: How many to load) and "ops.load.mode" '
        '(text); add {"ops": {"load": {"rows": 0, "mode": ""}}} to it.'
    )
    assert (problem.path, problem.field) == ((), "ops")
    assert check(schema, {"ops": {"load": {"rows": 0, "mode": ""}}}).ok


def test_a_field_one_level_too_high_is_told_where_it_belongs() -> None:
    inner = Shape(fields={"rows": Field(type=Scalar(kind="int"), required=False)})
    schema = Shape(
        fields={"config": Field(type=inner, required=False), "items": Field(type=Array(item=inner), required=False)}
    )
    (problem,) = check(schema, {"rows": 3}).problems
    assert problem.message == 'The config has no field "rows"; move it into "config".'
