"""The checker and pydantic agree: what one takes as it stands the other takes too; each mistake is told at once."""

from __future__ import annotations

import enum
import json
from typing import Any, Literal

import pydantic
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.annotation import read_model
from penstock.config.check import check
from penstock.config.model import Config, build, schema_of
from penstock.config.schema import env_name
from penstock.config.yaml_document import parse_yaml

# An annotation with its fitting values, and values that pydantic in its strict mode refuses.
Kind = tuple[Any, st.SearchStrategy[Any], st.SearchStrategy[Any]]


class Color(enum.Enum):
    RED = 1
    BLUE = 2


_TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N"]), max_size=6)
_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
_LEAVES: list[Kind] = [
    (
        int,
        st.integers(-(10**9), 10**9),
        _TEXT | st.booleans() | st.sampled_from([1.5, -0.25]),
    ),
    (float, st.floats(allow_nan=False, allow_infinity=False) | st.integers(-99, 99), _TEXT | st.booleans()),
    (str, _TEXT, st.integers() | st.booleans()),
    (bool, st.booleans(), _TEXT | st.integers()),
    (Color, st.sampled_from(["RED", "BLUE"]), st.sampled_from(["red", 1])),
    (Literal["low", "high"], st.sampled_from(["low", "high"]), st.sampled_from(["", "Low", 3])),
]


def _model(fields: dict[str, Kind]) -> Any:
    declared: Any = {name: (kind, ...) for name, (kind, _, _) in fields.items()}
    return pydantic.create_model("Made", __base__=Config, **declared)


@st.composite
def _models(draw: st.DrawFn, depth: int = 2) -> Kind:
    fields: dict[str, Kind] = draw(st.dictionaries(_NAMES, _kinds(depth), min_size=1, max_size=4))
    model = pydantic.create_model(
        "Made", __base__=Config, **{name: (kind, ...) for name, (kind, _, _) in fields.items()}
    )  # type: ignore[call-overload]
    good = st.fixed_dictionaries({name: each for name, (_, each, _) in fields.items()})
    return model, good, _TEXT | st.integers()


@st.composite
def _kinds(draw: st.DrawFn, depth: int) -> Kind:
    shape = draw(st.sampled_from(["leaf", "leaf", "list", "dict", "optional", "model"] if depth else ["leaf"]))
    if shape == "leaf":
        return draw(st.sampled_from(_LEAVES))
    if shape == "model":
        return draw(_models(depth - 1))
    kind, good, bad = draw(_kinds(depth - 1))
    match shape:
        case "list":
            return list[kind], st.lists(good, max_size=3), st.integers() | _TEXT  # type: ignore[valid-type]
        case "dict":
            return dict[str, kind], st.dictionaries(_NAMES, good, max_size=3), st.integers() | _TEXT  # type: ignore[valid-type]
        case _:
            return kind | None, good | st.none(), bad


@given(_models(), st.data())
def test_what_fits_is_taken_by_both_and_comes_out_as_it_went_in(kind: Kind, data: st.DataObject) -> None:
    model, good, _ = kind
    value = data.draw(good)
    checked = check(schema_of(model), value)
    assert checked.problems == ()
    built = build(model, checked.value)
    assert built.problems == ()
    assert built.value.to_config_dict() == value


@given(_models(), st.data())
def test_any_value_gets_the_same_verdict_from_both(values: Any, kind: Kind, data: st.DataObject) -> None:
    model, good, _ = kind
    value = data.draw(good | values)
    checked = check(schema_of(model), value)
    if checked.ok:
        assert build(model, checked.value).ok
    elif not _holds_variable(value):
        entered = read_model(model).enter(value)
        with pytest.raises(pydantic.ValidationError):
            model.model_validate(entered, strict=True)


def _holds_variable(value: Any) -> bool:
    if isinstance(value, dict):
        return env_name(value) is not None or any(_holds_variable(each) for each in value.values())
    return isinstance(value, list) and any(_holds_variable(each) for each in value)


@given(st.lists(st.sampled_from(_LEAVES), min_size=1, max_size=6), st.data())
def test_each_mistake_is_told_at_once_with_its_path(kinds: list[Kind], data: st.DataObject) -> None:
    names = [f"field{index}" for index in range(len(kinds))]
    fields = dict(zip(names, kinds, strict=True))
    model = pydantic.create_model(
        "Made", __base__=Config, **{name: (kind, ...) for name, (kind, _, _) in fields.items()}
    )  # type: ignore[call-overload]
    wrong = data.draw(st.sets(st.sampled_from(names)))
    missing = data.draw(st.sets(st.sampled_from(names))) - wrong
    value = {
        name: data.draw(bad if name in wrong else good)
        for name, (_, good, bad) in fields.items()
        if name not in missing
    }
    value["fielt"] = 1
    problems = check(schema_of(model), value).problems
    told = {each.path for each in problems if each.field is None}
    assert told == {(name,) for name in wrong}
    assert {each.field for each in problems if each.path == ()} == missing
    (unknown,) = [each for each in problems if each.path == ("fielt",)]
    assert unknown.nearest in names
    assert len(problems) == len(wrong) + len(missing) + 1


@given(_models(), st.data())
def test_yaml_text_gets_the_same_verdict_and_every_path_has_a_line_in_it(
    values: Any, kind: Kind, data: st.DataObject
) -> None:
    model, good, _ = kind
    value = data.draw(good | values.filter(lambda each: isinstance(each, dict)))
    value = json.loads(json.dumps(value))
    text = yaml.safe_dump(value, sort_keys=False)
    document = parse_yaml(text, "run.yaml")
    assert document.value == value
    problems = check(schema_of(model), document.value).problems
    assert problems == check(schema_of(model), value).problems
    for each in problems:
        assert each.path in document.places
