"""`context.instance` where no instance was given: it knows the run so far, and is gone with the execution."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import (
    AssetExecutionContext,
    AssetKey,
    AssetObservation,
    DynamicPartitionsDefinition,
    Instance,
    OpExecutionContext,
    OutputContext,
    RunStatus,
    asset,
    build_asset_context,
    build_op_context,
    job,
    materialize,
    op,
)
from penstock.errors import UsageError
from penstock.execution.own_instance import OwnInstance


def test_it_knows_the_run_and_what_it_has_made() -> None:
    seen: list[Any] = []

    @asset
    def orders(context: AssetExecutionContext) -> int:
        seen.append(context.instance.get_latest_materialization_event(AssetKey("orders")))
        return 1

    @asset(deps=[orders])
    def report(context: AssetExecutionContext) -> None:
        found = context.instance.get_latest_materialization_event(AssetKey("orders"))
        assert found is not None
        run = context.instance.get_run_by_id(context.run_id)
        assert run is not None
        seen.append((found.run_id == context.run_id, run.status))
        context.instance.add_dynamic_partitions("regions", ["north"])
        seen.append(context.instance.get_dynamic_partitions("regions"))
        context.log_event(AssetObservation("orders"))
        seen.append(len(context.instance.storage.events.of_run(context.run_id, types=["ASSET_OBSERVATION"])))

    assert materialize([orders, report]).success
    assert seen == [None, (True, RunStatus.STARTED), ["north"], 1]


def test_it_is_one_for_the_run_and_over_with_it() -> None:
    kept: list[OpExecutionContext] = []
    instances: list[Any] = []

    @op
    def first(context: OpExecutionContext) -> int:
        instances.append(context.instance)
        return 1

    @op
    def second(context: OpExecutionContext, number: int) -> None:
        instances.append(context.instance)
        kept.append(context)

    @job
    def both() -> None:
        second(first())

    assert both.execute_in_process().success
    assert isinstance(instances[0], Instance)
    assert instances[0] is instances[1]
    with pytest.raises(UsageError, match="The execution is over"):
        _ = kept[0].instance


def test_contexts_outside_of_a_run_have_one_too() -> None:
    with build_op_context() as context:
        context.instance.add_dynamic_partitions("regions", ["south"])
        assert context.instance.get_dynamic_partitions("regions") == ["south"]
        assert context.instance.get_run_by_id(context.run_id) is None
    own = Instance.ephemeral()
    with own:
        assert build_op_context(instance=own).instance is own

    regional = DynamicPartitionsDefinition(name="regions")

    @asset(partitions_def=regional)
    def sales(context: AssetExecutionContext) -> str:
        return context.partition_key

    with build_asset_context(partition_key="west") as asking:  # no one has said which partitions there are
        assert sales(asking) == "west"


def test_nothing_is_made_until_it_is_asked_for() -> None:
    made = OwnInstance()
    made.close()
    with pytest.raises(UsageError, match="pass one"):
        made.up_to_date()
    assert OutputContext("s", "n", "r").instance is None
