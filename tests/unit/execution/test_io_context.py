"""What IO managers see of a run, and what they may tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    AssetSpec,
    Field,
    In,
    InputContext,
    IOManager,
    Out,
    Output,
    OutputContext,
    StaticPartitionsDefinition,
    asset,
    build_init_resource_context,
    build_input_context,
    build_output_context,
    build_resources,
    io_manager,
    job,
    materialize,
    op,
    resource,
)
from penstock.errors import InvalidRunConfigError, UsageError, UserCodeError
from penstock.records import event as facts
from penstock.records.metadata import IntMetadataValue

LETTERS = StaticPartitionsDefinition(["a", "b", "c"])
outputs: list[OutputContext] = []
inputs: list[InputContext] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    outputs.clear()
    inputs.clear()


class Keeps(IOManager):
    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], Any] = {}

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        outputs.append(context)
        self.values[tuple(context.get_identifier())] = obj

    def load_input(self, context: InputContext) -> Any:
        inputs.append(context)
        assert context.upstream_output is not None
        return self.values[tuple(context.upstream_output.get_identifier())]


@io_manager(
    config_schema={"base": Field(str, default_value="b")},
    output_config_schema={"path": Field(str, is_required=False)},
)
def keeps() -> IOManager:
    return Keeps()


@op(out=Out(metadata={"declared": 1}, code_version="v3"))
def give() -> Output[int]:
    return Output(1, metadata={"added": 2})


@op(ins={"number": In(metadata={"read": 3})})
def take(number: int) -> int:
    return number


@job(resource_defs={"io_manager": keeps})
def passes_on() -> None:
    take(give())


def test_contexts_of_an_output_and_of_the_input_that_it_feeds() -> None:
    passes_on.execute_in_process(run_config={"ops": {"give": {"outputs": {"result": {"path": "p"}}}}})
    stored, loaded = outputs[0], inputs[0]
    assert (stored.step_key, stored.name, stored.config, stored.version) == ("give", "result", {"path": "p"}, "v3")
    assert (stored.definition_metadata, stored.output_metadata) == ({"declared": 1}, {"added": IntMetadataValue(2)})
    assert (stored.resource_config, stored.job_name, stored.op_def) == ({"base": "b"}, "passes_on", give)
    assert (loaded.name, loaded.config, loaded.definition_metadata, loaded.op_def) == (
        "number",
        None,
        {"read": 3},
        take,
    )
    upstream = loaded.upstream_output
    assert upstream is not None
    assert (upstream.config, upstream.version, upstream.op_def) == ({"path": "p"}, "v3", give)
    assert upstream.definition_metadata == {"declared": 1}
    assert (stored.step_context.step_key, loaded.step_context.op_def) == ("give", take)
    assert upstream.get_identifier() == stored.get_identifier() == stored.get_run_scoped_output_identifier()


def test_what_an_output_is_told_is_checked_and_other_outputs_take_nothing() -> None:
    with pytest.raises(InvalidRunConfigError, match=r"ops\.give\.outputs\.result.*pth"):
        passes_on.execute_in_process(run_config={"ops": {"give": {"outputs": {"result": {"pth": "p"}}}}})

    @job(resource_defs={"io_manager": Keeps()})
    def plain() -> None:
        give()

    with pytest.raises(InvalidRunConfigError, match=r"ops\.give.*outputs"):
        plain.execute_in_process(run_config={"ops": {"give": {"outputs": {"result": {"path": "p"}}}}})


def test_the_spec_of_an_asset_is_at_hand() -> None:
    @asset(metadata={"table": "t"}, group_name="g", code_version="1")
    def thing() -> int:
        return 1

    materialize([thing], resources={"io_manager": Keeps()})
    assert outputs[0].asset_spec.group_name == "g"
    assert (outputs[0].asset_spec.metadata, outputs[0].version) == ({"table": "t"}, "1")
    built = build_output_context(asset_spec=AssetSpec("a", partitions_def=LETTERS), partition_key="b")
    assert (built.asset_key, built.asset_partitions_def) == (AssetKey("a"), LETTERS)
    with pytest.raises(UsageError, match="The stored value is not an asset"):
        _ = build_output_context().asset_spec
    with pytest.raises(UsageError, match="no step_context"):
        _ = build_output_context().step_context


def test_storing_may_yield_facts_and_loading_may_observe() -> None:
    class Tells(IOManager):
        def handle_output(self, context: OutputContext, obj: Any) -> Iterator[Any]:
            yield {"rows": 3}
            yield AssetMaterialization("beside")
            context.log_event(AssetObservation("seen"))
            assert [type(each) for each in context.get_logged_events()] == [AssetMaterialization, AssetObservation]
            assert context.get_logged_metadata() == {"rows": IntMetadataValue(3)}

        def load_input(self, context: InputContext) -> Any:
            context.add_input_metadata({"read": 1}, description="read once")
            (observed,) = context.get_observations()
            assert observed.asset_key == context.asset_key
            return 1

    @asset
    def first() -> int:
        return 1

    @asset
    def second(first: int) -> None: ...

    told = [each.fact for each in materialize([first, second], resources={"io_manager": Tells()}).all_events]
    made = [each for each in told if isinstance(each, facts.AssetMaterialization)]
    assert [(each.asset, each.metadata) for each in made][:2] == [
        ("beside", {}),
        ("first", {"rows": IntMetadataValue(3)}),
    ]
    observed = [each for each in told if isinstance(each, facts.AssetObservation)]
    assert [(each.asset, each.description) for each in observed] == [("seen", None), ("first", "read once")]
    (loaded,) = [each for each in told if isinstance(each, facts.LoadedInput)]
    assert loaded.metadata == observed[1].metadata == {"read": IntMetadataValue(1)}


def test_each_partition_that_is_loaded_is_observed() -> None:
    context = build_input_context(asset_key="a", partition_key="b")
    context.add_input_metadata({"rows": 1})
    assert [each.partition for each in context.get_observations()] == ["b"]


def test_contexts_outside_of_a_run_set_resources_up_and_tear_them_down() -> None:
    trail: list[str] = []

    @resource
    def opened() -> Iterator[int]:
        trail.append("up")
        yield 4
        trail.append("down")

    makers: list[Any] = [build_output_context, build_input_context, build_init_resource_context]
    for make in makers:
        with make(resources={"opened": opened, "plain": 1}) as context:
            assert (context.resources.opened, context.resources.plain) == (4, 1)
            assert trail == ["up"]
        assert trail == ["up", "down"]
        trail.clear()


def test_a_context_that_cannot_set_its_resources_up_leaves_nothing_behind() -> None:
    @resource
    def broken() -> int:
        raise ValueError("no")

    with pytest.raises(UserCodeError, match="broken"):
        build_output_context(resources={"broken": broken})


def test_resources_outside_of_a_run_see_what_is_given_for_it() -> None:
    import logging

    seen: list[Any] = []

    @resource
    def sees(context: Any) -> int:
        seen.append((context.run, context.log, context.event_loop, context.instance, sorted(context.all_resource_defs)))
        return 1

    log, loop = logging.getLogger("test"), object()
    with build_resources({"sees": sees}, log=log, event_loop=loop):
        pass
    assert seen == [(None, log, loop, None, ["sees"])]
