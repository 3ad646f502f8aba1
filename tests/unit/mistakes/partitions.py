"""Mistakes in partitions, their mappings and backfills."""

# mypy: ignore-errors
# Mistakes are what a type checker would tell of, too.

from __future__ import annotations

from typing import Any

import penstock as ps

from .table import mistake


@mistake("A partition that does not exist")
def _() -> Any:
    @ps.asset(partitions_def=ps.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01"))
    def orders() -> None: ...

    return ps.materialize([orders], partition_key="2024-2-30")


@mistake("A partitioned asset made without saying which partition")
def _() -> Any:
    @ps.asset(partitions_def=ps.StaticPartitionsDefinition(["north", "south"]))
    def orders(context: ps.AssetExecutionContext) -> str:
        return context.partition_key

    return ps.materialize([orders])


@mistake("A start date in another form than the keys")
def _() -> Any:
    return ps.DailyPartitionsDefinition("01.02.2024").get_partition_keys()


@mistake("A static partition that does not exist")
def _() -> Any:
    @ps.asset(partitions_def=ps.StaticPartitionsDefinition(["north", "south"]))
    def orders() -> None: ...

    return ps.materialize([orders], partition_key="nort")


@mistake("Static partitions given as one text")
def _() -> Any:
    return ps.StaticPartitionsDefinition("north")


@mistake("A static partition given twice")
def _() -> Any:
    return ps.StaticPartitionsDefinition(["north", "south", "north"])


@mistake("A partition for an asset that has none")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    return ps.materialize([orders], partition_key="2024-01-01")


@mistake("The partition asked of a run that has none")
def _() -> Any:
    @ps.op
    def load(context: ps.OpExecutionContext) -> str:
        return context.partition_key

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process()


@mistake("A partition of two dimensions with one of them missing")
def _() -> Any:
    grid = ps.MultiPartitionsDefinition(
        {"region": ps.StaticPartitionsDefinition(["north"]), "color": ps.StaticPartitionsDefinition(["red"])}
    )

    @ps.asset(partitions_def=grid)
    def orders() -> None: ...

    return ps.materialize([orders], partition_key="north")


@mistake("A mapping between partitions that do not fit it")
def _() -> Any:
    @ps.asset(partitions_def=ps.StaticPartitionsDefinition(["north"]))
    def regions() -> None: ...

    @ps.asset(
        partitions_def=ps.DailyPartitionsDefinition("2024-01-01"),
        deps=[ps.AssetDep(regions, partition_mapping=ps.TimeWindowPartitionMapping())],
    )
    def orders() -> None: ...

    return ps.Definitions(assets=[regions, orders]).resolved


@mistake("A mapping of static partitions that names one that is not there")
def _() -> Any:
    @ps.asset(partitions_def=ps.StaticPartitionsDefinition(["north"]))
    def regions() -> None: ...

    @ps.asset(
        partitions_def=ps.StaticPartitionsDefinition(["red"]),
        deps=[ps.AssetDep(regions, partition_mapping=ps.StaticPartitionMapping({"nort": "red"}))],
    )
    def orders() -> None: ...

    return ps.Definitions(assets=[regions, orders]).resolved


@mistake("A mapping given as a text")
def _() -> Any:
    return ps.AssetDep("orders", partition_mapping="identity")


@mistake("A backfill policy with no partitions in a run")
def _() -> Any:
    return ps.BackfillPolicy.multi_run(max_partitions_per_run=0)


@mistake("A job over assets of different partitions")
def _() -> Any:
    @ps.asset(partitions_def=ps.DailyPartitionsDefinition("2024-01-01"))
    def orders() -> None: ...

    @ps.asset(partitions_def=ps.StaticPartitionsDefinition(["north"]))
    def regions() -> None: ...

    job = ps.define_asset_job("both", selection=[orders, regions])
    return ps.Definitions(assets=[orders, regions], jobs=[job]).resolved


@mistake("A start of partitions after their end")
def _() -> Any:
    return ps.DailyPartitionsDefinition("2024-02-01", end_date="2024-01-01").get_partition_keys()


@mistake("An hour of the day that no day has")
def _() -> Any:
    return ps.DailyPartitionsDefinition("2024-01-01", hour_offset=25)


@mistake("A time zone of partitions that does not exist")
def _() -> Any:
    return ps.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Belrin")
