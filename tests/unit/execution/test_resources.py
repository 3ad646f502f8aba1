"""Resources: set up in the order of need, torn down in reverse, whatever raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from penstock.clock import SYSTEM_CLOCK
from penstock.definitions.resources.configurable import ConfigurableResource
from penstock.definitions.resources.resource import resource, to_resources
from penstock.errors import DefinitionError, ExecutionInterruptedError, InvalidRunConfigError, UserCodeError
from penstock.execution.build_resources import build_resources
from penstock.execution.resources import closure, set_up
from penstock.records.event import EngineNote, Fact, ResourceInitFailure, ResourceInitStarted, ResourceInitSuccess

trail: list[str] = []


@pytest.fixture(autouse=True)
def fresh_trail() -> None:
    trail.clear()


@resource
def base() -> Iterator[str]:
    trail.append("base up")
    yield "base"
    trail.append("base down")


@resource(required_resource_keys={"base"})
def middle(context: Any) -> Iterator[str]:
    trail.append("middle up")
    yield f"middle on {context.resources.base}"
    trail.append("middle down")


@resource(required_resource_keys={"middle"})
def broken(context: Any) -> str:
    raise ValueError("no connection")


def run(given: Mapping[str, Any], keys: set[str]) -> tuple[dict[str, Any], list[Fact]]:
    facts: list[Fact] = []
    with set_up(keys, to_resources(given, "test"), {}, clock=SYSTEM_CLOCK, emit=facts.append) as opened:
        values = dict(opened.values)
        trail.append("body")
    return values, facts


def test_what_is_needed_is_set_up_first_and_torn_down_last() -> None:
    values, facts = run({"middle": middle, "base": base, "other": 1}, {"middle"})
    assert values == {"base": "base", "middle": "middle on base"}
    assert trail == ["base up", "middle up", "body", "middle down", "base down"]
    assert isinstance(facts[0], ResourceInitStarted)
    assert facts[0].resources == ("base", "middle")
    assert isinstance(facts[1], ResourceInitSuccess)
    assert set(facts[1].seconds) == {"base", "middle"}


def test_a_failed_set_up_is_told_and_the_rest_torn_down() -> None:
    facts: list[Fact] = []
    definitions = to_resources({"middle": middle, "base": base, "broken": broken}, "test")
    with (
        pytest.raises(UserCodeError, match=r"'broken'.*no connection") as caught,
        set_up({"broken"}, definitions, {}, clock=SYSTEM_CLOCK, emit=facts.append),
    ):
        pytest.fail("the body ran")
    assert isinstance(caught.value.__cause__, ValueError)
    assert trail == ["base up", "middle up", "middle down", "base down"]
    assert isinstance(facts[-1], ResourceInitFailure)
    assert facts[-1].resource == "broken"
    assert facts[-1].error.frames[0].function == "broken"


def test_a_failing_body_is_no_reason_not_to_tear_down() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        set_up({"base"}, to_resources({"base": base}, "test"), {}, clock=SYSTEM_CLOCK, emit=lambda _: None),
    ):
        _ = 1 / 0
    assert trail == ["base up", "base down"]


def test_a_failing_teardown_is_told_and_the_others_go_on() -> None:
    @resource(required_resource_keys={"base"})
    def careless(context: Any) -> Iterator[int]:
        yield 1
        raise RuntimeError("cannot close")

    _, facts = run({"base": base, "careless": careless}, {"careless"})
    assert trail[-1] == "base down"
    assert isinstance(facts[-1], EngineNote)
    assert facts[-1].error is not None
    assert facts[-1].error.message == "cannot close"


def test_keys_that_do_not_exist_and_circles_are_named() -> None:
    with pytest.raises(DefinitionError, match="no resource 'base', which 'middle' needs"):
        closure({"middle"}, to_resources({"middle": middle}, "test"))

    @resource(required_resource_keys={"b"})
    def a(context: Any) -> int:
        return 1

    @resource(required_resource_keys={"a"})
    def b(context: Any) -> int:
        return 1

    with pytest.raises(DefinitionError, match="circle: a -> b -> a"):
        closure({"a"}, to_resources({"a": a, "b": b}, "test"))


class Database(ConfigurableResource):
    url: str
    retries: int = 2

    def setup_for_execution(self, context: Any) -> None:
        trail.append(f"connect {self.url}")

    def teardown_after_execution(self, context: Any) -> None:
        trail.append(f"close {self.url}")


class Table(ConfigurableResource):
    database: Database
    name: str


def test_configurable_resources_hold_each_other() -> None:
    database = Database(url="here")
    with build_resources({"db": database, "table": Table(database=database, name="t")}) as resources:
        assert resources.table.database is resources.db
        assert resources.table.name == "t"
    assert trail == ["connect here", "close here"]


def test_config_is_checked() -> None:
    @resource(config_schema={"path": str})
    def folder(context: Any) -> str:
        return str(context.resource_config["path"])

    with build_resources({"folder": folder}, resource_config={"folder": {"config": {"path": "x"}}}) as resources:
        assert resources.folder == "x"
    with pytest.raises(InvalidRunConfigError, match=r"folder.*config"), build_resources({"folder": folder}):
        pytest.fail("set up without its config")


def test_an_unknown_resource_is_an_attribute_error_that_names_those_there_are() -> None:
    with build_resources({"a": 1, "b": 2}) as resources, pytest.raises(AttributeError, match='there are "a" and "b"'):
        _ = resources.c


def test_a_cancel_during_one_teardown_keeps_no_other_from_its_own() -> None:
    @resource(required_resource_keys={"base"})
    def slow() -> Iterator[int]:
        yield 1
        raise ExecutionInterruptedError("The run was asked to stop.")

    _, facts = run({"slow": slow, "base": base}, {"slow"})
    assert trail == ["base up", "body", "base down"]
    (note,) = [each for each in facts if isinstance(each, EngineNote)]
    assert note.error is not None
    assert note.error.cls == "ExecutionInterruptedError"


def test_a_resource_that_exits_fails_its_set_up_and_not_the_process() -> None:
    @resource
    def leaving() -> Iterator[int]:
        if trail:
            raise SystemExit(3)
        yield 1
        raise SystemExit(4)

    values, facts = run({"leaving": leaving}, {"leaving"})
    assert values == {"leaving": 1}
    assert isinstance(facts[-1], EngineNote)
    with pytest.raises(UserCodeError, match="leaving"):
        run({"leaving": leaving}, {"leaving"})
