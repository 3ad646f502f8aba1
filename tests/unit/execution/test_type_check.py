"""Types at work: values checked with what their checks tell, and inputs made of what a run config gives."""

from __future__ import annotations

import enum
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import pytest

from penstock import (
    AssetIn,
    AssetOut,
    Config,
    Definitions,
    DynamicOut,
    DynamicOutput,
    ExecuteInProcessResult,
    GraphDefinition,
    In,
    JobDefinition,
    Out,
    PythonObjectType,
    TypeCheck,
    TypeCheckContext,
    TypeLoaderContext,
    ValueType,
    asset,
    graph,
    job,
    materialize,
    multi_asset,
    op,
    type_loader,
)
from penstock.config.check import check
from penstock.definitions.describe import describe
from penstock.definitions.run_config import run_config_schema
from penstock.errors import (
    DefinitionError,
    InvalidRunConfigError,
    TypeCheckDidNotPassError,
    TypeCheckError,
)
from penstock.records.event import Fact, StepFailure, StepInput, StepOutput


def _even(context: TypeCheckContext, value: Any) -> TypeCheck:
    return TypeCheck(value % 2 == 0, f"{value} is odd", {"half": value // 2})


EVEN = ValueType(_even, name="Even", description="Numbers without remainder.")


@op(out=Out(EVEN))
def give(context: Any) -> int:
    number: int = context.op_config
    return number


@op(ins={"number": In(EVEN)})
def take(number: int) -> int:
    return number + 1


@job
def giving() -> None:
    take(give())


def _facts(result: ExecuteInProcessResult, kind: type[Fact]) -> list[Any]:
    return [event.fact for event in result.all_events if isinstance(event.fact, kind)]


def _give(number: int, **more: Any) -> ExecuteInProcessResult:
    return giving.execute_in_process(run_config={"ops": {"give": {"config": number}}}, **more)


def test_what_a_check_tells_is_with_the_events_of_input_and_output() -> None:
    result = _give(4)
    output, *_ = _facts(result, StepOutput)
    (got,) = _facts(result, StepInput)
    assert (output.type_name, got.type_name) == ("Even", "Even")
    assert output.metadata["half"].value == got.metadata["half"].value == 2


def test_a_value_that_does_not_pass_fails_the_step_with_place_kind_and_remedy() -> None:
    with pytest.raises(TypeCheckDidNotPassError) as caught:
        _give(3)
    text = str(caught.value)
    assert text.startswith('Op "give" (')
    assert (
        "gave an int (3) as its output 'result', which is declared as Even (3 is odd); give a value of that type"
        in text
    )
    assert caught.value.description == "3 is odd"
    assert caught.value.python_type is EVEN
    (failure,) = _facts(_give(3, raise_on_error=False), StepFailure)
    assert failure.error.cls == "TypeCheckDidNotPassError"
    assert failure.metadata["half"].value == 1
    assert failure.source == "USER_CODE_ERROR"


def test_an_input_is_checked_by_its_own_type() -> None:
    @op
    def odd() -> int:
        return 3

    @job
    def mixing() -> None:
        take(odd())

    with pytest.raises(
        TypeCheckDidNotPassError, match=r"got an int \(3\) for its input 'number', which is declared as Even"
    ):
        mixing.execute_in_process()


def test_a_check_that_fails_itself_fails_the_step() -> None:
    @op(out=Out(ValueType(lambda *_: 1 / 0 > 0, name="Broken")))
    def one() -> int:
        return 1

    with pytest.raises(TypeCheckError, match='The check of the type "Broken" raised ZeroDivisionError'):
        GraphDefinition.to_job(_graph_of(one)).execute_in_process()


def _graph_of(only: Any) -> GraphDefinition:
    @graph(name=f"with_{only.name}")
    def alone() -> None:
        only()

    return alone


def test_a_check_has_its_resources_a_log_and_the_run() -> None:
    def within(context: TypeCheckContext, value: int) -> bool:
        context.log.info(f"checking for {context.run_id} as {context.python_type.display_name}")
        return bool(value < context.resources.limit)

    small = ValueType(within, name="Small", required_resource_keys={"limit"})

    @op(out=Out(list[small]))  # type: ignore[valid-type]
    def numbers() -> list[int]:
        return [1, 2, 30]

    made = _graph_of(numbers).to_job(resource_defs={"limit": 10})
    assert describe(Definitions(jobs=[made]), "here").jobs[0].steps[0].resources == ("io_manager", "limit")
    with pytest.raises(TypeCheckDidNotPassError, match=r"declared as list\[Small\] \(item 2: does not pass\)"):
        made.execute_in_process()


def test_each_value_of_a_dynamic_output_is_checked() -> None:
    @op(out=DynamicOut(EVEN))
    def several() -> Any:
        yield DynamicOutput(2, "a")
        yield DynamicOutput(3, "b")

    with pytest.raises(TypeCheckDidNotPassError, match="3 is odd"):
        _graph_of(several).execute_in_process()


def test_assets_declare_types_too() -> None:
    @asset(python_type=EVEN)
    def number() -> int:
        return 4

    @asset(ins={"number": AssetIn(python_type=EVEN)})
    def after(number: int) -> int:
        return number

    @multi_asset(outs={"left": AssetOut(python_type=EVEN), "right": AssetOut()})
    def two() -> tuple[int, int]:
        return 3, 3

    result = materialize([number, after])
    assert [each.type_name for each in _facts(result, StepOutput)] == ["Even", "int"]
    with pytest.raises(TypeCheckDidNotPassError, match="output 'left', which is declared as Even"):
        materialize([two])


# -- inputs from the run config ----------------------------------------------------------------------------------------


class Point:
    def __init__(self, where: Any) -> None:
        self.where = where


@type_loader({"x": int}, required_resource_keys={"origin"})
def load_point(context: TypeLoaderContext, config: Mapping[str, Any]) -> Point:
    assert context.op_def.name == "show"
    assert context.job_def.name == "showing"
    return Point((config["x"], context.resources.origin))


POINT = PythonObjectType(Point, loader=load_point)


def _showing(kind: Any) -> JobDefinition:
    @op(ins={"value": In(kind)})
    def show(value: Any) -> Any:
        return (value,)

    @job(resource_defs={"origin": 0})
    def showing() -> None:
        show()

    return showing


def _loaded(kind: Any, given: Any) -> Any:
    result = _showing(kind).execute_in_process(run_config={"ops": {"show": {"inputs": {"value": given}}}})
    return result.output_for_node("show")[0]


def test_a_loader_makes_the_value() -> None:
    assert _loaded(POINT, {"x": 1}).where == (1, 0)
    several = _loaded(list[POINT], [{"x": 1}, {"x": 2}])  # type: ignore[valid-type]
    assert [each.where for each in several] == [(1, 0), (2, 0)]
    assert _loaded(Optional[POINT], None) is None  # noqa: UP045 - the older form
    steps = describe(Definitions(jobs=[_showing(POINT)]), "here").jobs[0].steps
    assert "origin" in steps[0].resources
    with pytest.raises(InvalidRunConfigError, match=r'"ops.show.inputs.value" has no field "y"'):
        _loaded(POINT, {"y": 1})


class Color(enum.Enum):
    RED = 1


class Settings(Config):
    size: int


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (int, 5, 5),
        (int, {"value": 5}, 5),
        (str, "x", "x"),
        (float, 1, 1.0),
        (bool, True, True),
        (Any, 3, 3),
        (Any, {"value": 3}, 3),
        (Any, {"a": 3}, {"a": 3}),
        (Any, {"json": 3}, {"json": 3}),
        (dict, {"value": {"a": 1}}, {"value": {"a": 1}}),
        (list, [1, "x"], [1, "x"]),
        (list[int], [1, {"value": 2}], [1, 2]),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Optional[int], None, None),  # noqa: UP045 - the older form
        (int | None, {"value": 3}, 3),
        (Color, "RED", Color.RED),
        (Settings, {"size": 3}, Settings(size=3)),
    ],
)
def test_what_python_knows_is_given_as_it_is(kind: Any, given: Any, value: Any) -> None:
    loaded = _loaded(kind, given)
    assert (loaded, type(loaded)) == (value, type(value))


def test_a_value_may_be_in_a_file_or_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"value": 5}))
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(6))
    assert _loaded(int, {"json": {"path": str(tmp_path / "a.json")}}) == 5
    assert _loaded(int, {"pickle": {"path": str(tmp_path / "a.pickle")}}) == 6
    monkeypatch.setenv("A_NUMBER", "7")
    assert _loaded(int, {"env": "A_NUMBER"}) == 7
    with pytest.raises(FileNotFoundError):
        _loaded(int, {"json": {"path": str(tmp_path / "none.json")}})


def test_a_wrong_value_is_a_mistake_in_the_run_config() -> None:
    with pytest.raises(InvalidRunConfigError, match=r'"ops.show.inputs.value" must be a whole number or a mapping'):
        _loaded(int, None)
    schema = run_config_schema(_showing(list[int]))
    problems = check(schema, {"ops": {"show": {"inputs": {"value": [1, "x", "y"]}}}}).problems
    assert [each.path[-1] for each in problems] == ["1", "2"]


def test_what_no_run_config_can_give_is_refused_at_definition() -> None:
    plain = ValueType(lambda *_: True, name="Plain")
    with pytest.raises(DefinitionError, match="cannot give a value of its type Plain, which has no loader; pass it"):
        run_config_schema(_showing(plain))
    with pytest.raises(DefinitionError, match=r"its type set\[int\]; a ValueType with a loader could; pass it"):
        run_config_schema(_showing(set[int]))


def test_the_input_of_a_graph_is_made_by_the_type_that_it_feeds() -> None:
    @op(ins={"value": In(EVEN)})
    def half(value: int) -> int:
        return value // 2

    @op(ins={"value": In(PythonObjectType(Point, name="Located", loader=type_loader(int)(lambda _, x: Point(x))))})
    def locate(value: Point) -> int:
        where: int = value.where
        return where

    @graph
    def inside(value: Any) -> int:
        located: int = locate(value)
        return located

    @job
    def outside() -> None:
        inside()

    result = outside.execute_in_process(run_config={"ops": {"inside": {"inputs": {"value": 3}}}})
    assert result.output_for_node("inside.locate") == 3
