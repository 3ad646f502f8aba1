"""Mistakes in assets, their checks, selections and conditions."""

# mypy: ignore-errors
# Mistakes are what a type checker would tell of, too.

from __future__ import annotations

from typing import Any

import penstock as ps

from .table import mistake


@mistake("Two assets of one key")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    @ps.asset(name="orders")
    def more_orders() -> None: ...

    return ps.Definitions(assets=[orders, more_orders]).resolved


@mistake("An upstream asset that does not exist, loaded by a parameter")
def _() -> Any:
    @ps.asset
    def orders() -> int:
        return 1

    @ps.asset
    def report(ordrs: int) -> int:
        return ordrs

    return ps.materialize([orders, report])


@mistake("A selection of an asset that does not exist")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    job = ps.define_asset_job("some", selection=["ordes"])
    return ps.Definitions(assets=[orders], jobs=[job]).resolved


@mistake("A selection text that cannot be read")
def _() -> Any:
    return ps.AssetSelection.from_string("key:orders and (tag:")


@mistake("An owner that is neither an address nor a team")
def _() -> Any:
    return ps.AssetSpec("orders", owners=["data people"])


@mistake("A check that returns neither true, false nor a result")
def _() -> Any:
    @ps.asset
    def orders() -> int:
        return 1

    @ps.asset_check(asset=orders)
    def some_rows() -> Any:
        return 7

    return ps.materialize([orders, some_rows])


@mistake("Assets that wait for each other in a circle")
def _() -> Any:
    @ps.asset(deps=["b"])
    def a() -> None: ...

    @ps.asset(deps=["a"])
    def b() -> None: ...

    return ps.Definitions(assets=[a, b]).resolved


@mistake("An asset both made and declared")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    return ps.Definitions(assets=[orders, ps.AssetSpec("orders")]).resolved


@mistake("A list inside the list of assets")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    return ps.Definitions(assets=[[orders]])


@mistake("A group's name with a space")
def _() -> Any:
    return ps.AssetSpec("orders", group_name="raw data")


@mistake("More kinds than can be shown")
def _() -> Any:
    return ps.AssetSpec("orders", kinds=["python", "duckdb", "csv", "table"])


@mistake("A result for an asset that the function does not make")
def _() -> Any:
    @ps.multi_asset(specs=[ps.AssetSpec("orders"), ps.AssetSpec("customers")])
    def load() -> Any:
        yield ps.MaterializeResult(asset_key="ordes")

    return ps.materialize([load])


@mistake("An asset whose value is not what its annotation says")
def _() -> Any:
    @ps.asset
    def rows() -> int:
        return None

    return ps.materialize([rows])


@mistake("A parameter for an asset that is only declared, so that nothing has stored it")
def _() -> Any:
    @ps.asset
    def report(orders: int) -> int:
        return orders

    return ps.materialize([report, ps.AssetSpec("orders")])


@mistake("An automation condition given as a text")
def _() -> Any:
    return ps.AssetSpec("orders", automation_condition="eager")


@mistake("An automation condition with a cron text that cannot be read")
def _() -> Any:
    return ps.AutomationCondition.on_cron("every day")


@mistake("A freshness policy that warns after it fails")
def _() -> Any:
    from datetime import timedelta

    return ps.FreshnessPolicy.time_window(fail_window=timedelta(hours=1), warn_window=timedelta(hours=2))


@mistake("A freshness policy with a number for a time")
def _() -> Any:
    return ps.FreshnessPolicy.time_window(fail_window=60)


@mistake("A selection text with a word that it does not have")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    job = ps.define_asset_job("some", selection="grop:raw")
    return ps.Definitions(assets=[orders], jobs=[job]).resolved


@mistake("A job of assets whose selection holds a number")
def _() -> Any:
    return ps.define_asset_job("some", selection=[42])


@mistake("Two checks of one name for one asset")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    def make() -> Any:
        @ps.asset_check(asset=orders)
        def some_rows() -> ps.AssetCheckResult:
            return ps.AssetCheckResult(passed=True)

        return some_rows

    return ps.Definitions(assets=[orders], asset_checks=[make(), make()]).resolved


@mistake("A check's result whose severity is a text")
def _() -> Any:
    return ps.AssetCheckResult(passed=False, severity="WARNING")
