"""Mistakes in tests: calling a definition directly, contexts, results and pipes."""

# mypy: ignore-errors
# Mistakes are what a type checker would tell of, too.

from __future__ import annotations

from typing import Any

import penstock as ps

from .table import mistake


@mistake("An op called without one of its inputs")
def _() -> Any:
    @ps.op
    def double(number: int) -> int:
        return 2 * number

    return double()


@mistake("An op called with too many values")
def _() -> Any:
    @ps.op
    def double(number: int) -> int:
        return 2 * number

    return double(1, 2)


@mistake("An op called with a name that it does not take")
def _() -> Any:
    @ps.op
    def double(number: int) -> int:
        return 2 * number

    return double(numbr=1)


@mistake("An op that takes a context called without one")
def _() -> Any:
    @ps.op
    def load(context: ps.OpExecutionContext) -> str:
        return context.run_id

    return load()


@mistake("An op called with a dict in place of a context")
def _() -> Any:
    @ps.op
    def load(context: ps.OpExecutionContext) -> str:
        return context.run_id

    return load({})


@mistake("An asset called without the resource that it takes")
def _() -> Any:
    class Warehouse(ps.ConfigurableResource):
        url: str

    @ps.asset
    def orders(warehouse: Warehouse) -> None: ...

    return orders()


@mistake("An op called with a config that does not fit")
def _() -> Any:
    @ps.op(config_schema={"rows": int})
    def load(context: ps.OpExecutionContext) -> None: ...

    return load(ps.build_op_context(op_config={"row": 3}))


@mistake("An op that takes a config class called without its config")
def _() -> Any:
    class Limits(ps.Config):
        rows: int

    @ps.op
    def load(config: Limits) -> int:
        return config.rows

    return load()


@mistake("A context with two forms of config")
def _() -> Any:
    return ps.build_op_context(op_config={"rows": 1}, config={"rows": 2})


@mistake("A context with a partition and a range of partitions")
def _() -> Any:
    return ps.build_asset_context(
        partition_key="2024-01-01", partition_key_range=ps.PartitionKeyRange("2024-01-01", "2024-01-02")
    )


@mistake("The partition asked of a context that was built without one")
def _() -> Any:
    return ps.build_op_context().partition_key


@mistake("The instance asked of a context that was built without one")
def _() -> Any:
    return ps.build_sensor_context().instance


@mistake("The key of the asset asked of an output context without one")
def _() -> Any:
    return ps.build_output_context().asset_key


@mistake("A hook's context for a hook that needs a resource that it does not get")
def _() -> Any:
    @ps.success_hook(required_resource_keys={"slack"})
    def tell(context: ps.HookContext) -> None:
        context.resources.slack.post("done")

    return tell(ps.build_hook_context())


@mistake("An asset's value asked of a run that has not made it")
def _() -> Any:
    @ps.asset
    def orders() -> int:
        return 1

    return ps.materialize([orders]).asset_value("customers")


@mistake("Something without assets materialized")
def _() -> Any:
    return ps.materialize([])


@mistake("A process of pipes that ends badly")
def _() -> Any:
    @ps.asset
    def orders(context: ps.AssetExecutionContext, pipes: ps.PipesSubprocessClient) -> Any:
        return pipes.run(command=["false"], context=context).get_materialize_result()

    return ps.materialize([orders], resources={"pipes": ps.PipesSubprocessClient()})


@mistake("A command of pipes that is not there")
def _() -> Any:
    @ps.asset
    def orders(context: ps.AssetExecutionContext, pipes: ps.PipesSubprocessClient) -> Any:
        return pipes.run(command=["no-such-program"], context=context).get_materialize_result()

    return ps.materialize([orders], resources={"pipes": ps.PipesSubprocessClient()})
