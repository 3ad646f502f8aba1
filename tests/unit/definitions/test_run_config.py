"""The run config schema of jobs."""

from typing import Any

import pytest

from penstock import (
    Config,
    ConfigurableResource,
    Definitions,
    JobDefinition,
    asset,
    graph,
    in_process_executor,
    job,
    multiprocess_executor,
    op,
    resource,
)
from penstock.config.check import check
from penstock.config.schema import Shape
from penstock.definitions.run_config import full_run_config_schema, needed_resources, run_config_schema
from penstock.errors import DefinitionError


class Settings(Config):
    n: int
    word: str = "x"


@op
def configured(config: Settings) -> int:
    return config.n


@op
def silent() -> int:
    return 1


@op
def needs(x: int, y: float = 1.0) -> None: ...


@graph
def inner() -> Any:
    return configured()


def _problems(made: JobDefinition, value: dict[str, Any]) -> list[str]:
    return [problem.message for problem in check(run_config_schema(made), value).problems]


def test_only_what_is_required_inside_is_required() -> None:
    @job
    def simple() -> None:
        silent()

    @job
    def asks() -> None:
        inner()
        silent()

    assert _problems(simple, {}) == []
    assert len(_problems(asks, {})) == 1
    assert _problems(asks, {"ops": {"inner": {"ops": {"configured": {"config": {"n": 1}}}}}}) == []
    assert _problems(simple, {"ops": {"silent": {}}}) == []
    assert len(_problems(simple, {"ops": {"silent": {"config": 1}}})) == 1


def test_inputs_that_nothing_feeds_are_asked_for() -> None:
    @job
    def open_input() -> None:
        needs()

    assert _problems(open_input, {"ops": {"needs": {"inputs": {"x": 3}}}}) == []
    assert len(_problems(open_input, {"ops": {"needs": {"inputs": {"x": "3"}}}})) == 1
    assert _problems(open_input, {"ops": {"needs": {"inputs": {"x": 3, "y": 1.0}}}}) == [], "a default may be replaced"
    assert len(_problems(open_input, {"ops": {"needs": {"inputs": {"x": 3, "y": "1"}}}})) == 1


def test_an_input_that_config_cannot_give_is_refused() -> None:
    @op
    def takes_bytes(x: memoryview) -> None: ...

    @job
    def impossible() -> None:
        takes_bytes()

    with pytest.raises(DefinitionError, match=r'input "x" of op "takes_bytes".*is fed by nothing in job "impossible"'):
        run_config_schema(impossible)


def test_resources_and_executor() -> None:
    class Db(ConfigurableResource):
        url: str

    @resource(config_schema={"n": int})
    def counter(context: Any) -> int:
        return 1

    @job(executor_def=multiprocess_executor.configured({"max_concurrent": 2}))
    def plain() -> None:
        silent()

    defs = Definitions(
        jobs=[plain], resources={"a": Db(url="x"), "b": Db.configure_at_launch(), "c": counter, "d": object()}
    )
    schema = full_run_config_schema(defs.get_job_def("plain"))
    resources = schema.fields["resources"].type
    assert isinstance(resources, Shape)
    assert {name: field.required for name, field in resources.fields.items()} == {"a": False, "b": True, "c": True}
    checked = check(schema, {"resources": {"b": {"config": {"url": "y"}}, "c": {"config": {"n": 1}}}})
    assert checked.ok
    assert checked.value["execution"] == {}  # what is configured in code is no run config's


def test_the_executor_may_be_chosen_unless_the_job_says() -> None:
    @job
    def free() -> None:
        silent()

    @job(executor_def=in_process_executor)
    def fixed() -> None:
        silent()

    assert _problems(free, {"execution": {"config": {"in_process": {}}}}) == []
    assert _problems(free, {"execution": {"config": {"multiprocess": {"max_concurrent": 2}}}}) == []
    assert len(_problems(fixed, {"execution": {"config": {"multiprocess": {}}}})) == 1


def test_assets_are_configured_by_their_op() -> None:
    @asset(key_prefix="p")
    def made(config: Settings) -> int:
        return config.n

    @asset
    def plain(context: object) -> None: ...

    whole = Definitions(assets=[made, plain]).get_job_def("__ASSET_JOB")
    assert _problems(whole, {"ops": {"p__made": {"config": {"n": 1}}}}) == []
    assert len(_problems(whole, {"ops": {"p__made": {"config": {"n": 1}}, "plain": {"config": {}}}})) == 1


def test_needed_resources_are_followed() -> None:
    @resource(required_resource_keys={"b"})
    def a() -> None: ...

    @resource(required_resource_keys={"c"})
    def b() -> None: ...

    assert needed_resources({"a"}, {"a": a, "b": b}) == ("a", "b", "c")
