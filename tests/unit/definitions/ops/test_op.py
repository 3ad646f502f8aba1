"""Ops: what is inferred from a function, and what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import Config, DynamicOut, DynamicOutput, In, Nothing, Out, Output, op
from penstock.config.declared import OpenConfig
from penstock.config.schema import Scalar, Shape
from penstock.definitions.function import UNKNOWN
from penstock.errors import DefinitionError


class Settings(Config):
    n: int


def test_inputs_and_output_come_from_the_signature() -> None:
    @op
    def scale(context: object, x: int, by: float = 2.0) -> float:
        """Makes it larger."""
        return x * by

    assert scale.name == "scale"
    assert scale.description == "Makes it larger."
    assert list(scale.ins) == ["x", "by"]
    assert scale.ins["x"].python_type is int
    assert scale.ins["by"].default_value == 2.0
    assert scale.outs["result"].python_type is float
    assert scale.source is not None
    assert scale.source.file == __file__


def test_what_is_declared_wins_and_is_completed_by_the_signature() -> None:
    @op(ins={"x": In(description="the number"), "after": In(Nothing)}, out=Out(description="twice"))
    def double(x: int) -> int:
        return 2 * x

    assert double.ins["x"].python_type is int
    assert double.ins["x"].description == "the number"
    assert double.ins["after"].is_nothing
    assert double.outs["result"].python_type is int
    assert double.outs["result"].description == "twice"


def test_several_outputs_take_their_types_from_a_tuple() -> None:
    @op(out={"a": Out(), "b": Out(str)})
    def split() -> tuple[int, object]:
        return 1, "x"

    assert [(name, out.python_type) for name, out in split.outs.items()] == [("a", int), ("b", str)]


def test_wrapped_values_are_unwrapped() -> None:
    @op
    def wrapped() -> Output[int]:
        return Output(1)

    @op
    def none() -> None: ...

    @op(out=DynamicOut())
    def many() -> Iterator[DynamicOutput[int]]:
        yield DynamicOutput(1, "a")

    assert wrapped.outs["result"].python_type is int
    assert none.outs["result"].is_nothing
    assert many.outs["result"].is_dynamic
    assert many.outs["result"].python_type is UNKNOWN


def test_config_in_every_form() -> None:
    @op
    def by_class(config: Settings) -> None: ...

    @op(config_schema={"n": int})
    def by_schema(context: object) -> None: ...

    @op
    def anything(context: object) -> None: ...

    @op
    def without() -> None: ...

    assert isinstance(by_class.declared_config, OpenConfig)
    assert by_class.declared_config.model is Settings
    field = by_class.config_field
    assert field is not None
    assert isinstance(field.type, Shape)
    assert field.required
    schema_field = by_schema.config_field
    assert schema_field is not None
    assert isinstance(schema_field.type, Shape)
    any_field = anything.config_field
    assert any_field is not None
    assert any_field.type == Scalar()
    assert not any_field.required
    assert without.config_field is None


def test_uses_with_changes_leave_the_op_alone() -> None:
    @op(tags={"a": "1"})
    def thing() -> None: ...

    use = thing.alias("other").tag({"b": 2})
    assert use.given_name == "other"
    assert use.node_tags == {"b": "2"}
    assert thing.tags == {"a": "1"}
    with pytest.raises(DefinitionError, match="only be called inside"):
        use()


def _no_context() -> None: ...


def _one(x: int) -> None: ...


@pytest.mark.parametrize(
    ("fn", "options", "words"),
    [
        (_no_context, {"config_schema": {"n": int}}, "no context to read config from"),
        (_no_context, {"required_resource_keys": {"db"}}, "no context to reach them"),
        (
            _no_context,
            {"ins": {"x": In(int)}},
            "no parameter of that name; there .* the input In\\(Nothing\\)",
        ),
        (_one, {"ins": {"x": In(Nothing)}}, "remove the parameter"),
        (_no_context, {"name": "a-b"}, "cannot name"),
        (_no_context, {"out": {"a": int}}, "give an Out or a DynamicOut"),
        (_no_context, {"out": {"a b": Out()}}, "cannot name an input or output"),
    ],
)
def test_what_does_not_fit_is_refused(fn: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        op(**options)(fn)


def test_a_config_that_cannot_be_read_names_the_op() -> None:
    @op(config_schema={"n": object()})
    def odd(context: object) -> None: ...

    with pytest.raises(DefinitionError, match=r'config of Op "odd" \(.*test_op\.py:\d+\) cannot be read'):
        odd.config_field  # noqa: B018 - looking is the test


def test_a_default_config_need_not_be_given() -> None:
    @op
    def by_default(config: Settings = Settings(n=3)) -> None: ...  # noqa: B008 - as users write it

    @op
    def plain(config: dict[str, int] = {"a": 1}) -> None: ...  # noqa: B006 - as users write it

    fields = [each.config_field for each in (by_default, plain)]
    assert [(field.required, field.default) for field in fields if field is not None] == [
        (False, {"n": 3}),
        (False, {"a": 1}),
    ]
