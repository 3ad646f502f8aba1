"""Three shops: what each sold on each day, read out of their cash registers, and what all of them made on a day."""

import sys
from typing import Any

from penstock import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AutomationCondition,
    AutomationConditionSensorDefinition,
    Config,
    DailyPartitionsDefinition,
    DataVersion,
    DefaultSensorStatus,
    Definitions,
    MaterializeResult,
    MetadataValue,
    MultiPartitionsDefinition,
    Output,
    PipesSubprocessClient,
    RunFailureSensorContext,
    StaticPartitionsDefinition,
    asset,
    asset_check,
    define_asset_job,
    file_relative_path,
    graph_asset,
    observable_source_asset,
    op,
    run_failure_sensor,
)

REGISTER = file_relative_path(__file__, "cash_register.py")

days = DailyPartitionsDefinition(start_date="2026-01-01")
shops_and_days = MultiPartitionsDefinition(
    {"day": days, "shop": StaticPartitionsDefinition(["harbour", "market", "station"])}
)

Sale = dict[str, Any]


@observable_source_asset(group_name="shops")
def price_list() -> DataVersion:
    """The prices, which the head office keeps; here they are only looked at."""
    return DataVersion("2026-1")


class Register(Config):
    """How the register is read out.

    Attributes:
        customers: At most how many customers a shop has on a day.
        jammed: Whether the drawer is stuck, so that reading fails.
    """

    customers: int = 40
    jammed: bool = False


@asset(
    group_name="shops",
    kinds={"pipes"},
    deps=[price_list],
    partitions_def=shops_and_days,
    check_specs=[AssetCheckSpec("no_receipt_is_missing", asset="sales")],
)
def sales(
    context: AssetExecutionContext, config: Register, pipes: PipesSubprocessClient
) -> MaterializeResult[list[Sale]]:
    """The receipts of one shop and day. A program of its own reads them, which need not have Penstock."""
    shop = context.multi_partition_key.keys_by_dimension["shop"]
    done = pipes.run(
        context=context,
        command=[sys.executable, REGISTER],
        extras={"shop": shop, "customers": config.customers, "jammed": config.jammed},
    )
    reported = done.get_materialize_result()
    (receipts,) = done.get_custom_messages()
    return MaterializeResult(metadata=reported.metadata, check_results=reported.check_results, value=receipts)


read_registers = define_asset_job("read_registers", selection=[sales])


@op
def without_returns(sales: list[Sale]) -> list[Sale]:
    """Leave out what was brought back."""
    return [sale for sale in sales if not sale["returned"]]


@op
def add_up(kept: list[Sale]) -> Output[dict[str, float]]:
    """What each article brought in."""
    totals: dict[str, float] = {}
    for sale in kept:
        totals[sale["article"]] = round(totals.get(sale["article"], 0.0) + sale["amount"], 2)
    rows = "\n".join(f"| {article} | {amount:.2f} |" for article, amount in sorted(totals.items()))
    return Output(
        totals, metadata={"sales": len(kept), "articles": MetadataValue.md(f"| article | EUR |\n|---|---|\n{rows}")}
    )


@graph_asset(group_name="shops", partitions_def=shops_and_days, automation_condition=AutomationCondition.eager())
def revenue(sales: list[Sale]) -> dict[str, float]:
    """What each article brought in, in one shop on one day. Made as soon as there are sales."""
    return add_up(without_returns(sales))


@asset_check(asset=revenue, blocking=True, partitions_def=shops_and_days)
def no_article_loses_money(revenue: dict[str, float]) -> AssetCheckResult:
    """Nothing brings in less than nothing."""
    losses = {article: amount for article, amount in revenue.items() if amount < 0}
    return AssetCheckResult(passed=not losses, metadata={"losses": losses})


@asset(group_name="company", partitions_def=days, automation_condition=AutomationCondition.eager())
def takings(context: AssetExecutionContext, revenue: dict[str, dict[str, float]]) -> float:
    """What all shops made on a day. Made as soon as the last of them is there."""
    total = round(sum(sum(articles.values()) for articles in revenue.values()), 2)
    context.add_output_metadata({"shops": len(revenue), "EUR": total})
    return total


@run_failure_sensor(default_status=DefaultSensorStatus.RUNNING, minimum_interval_seconds=5)
def tell_the_shop(context: RunFailureSensorContext) -> None:
    """Say which register could not be read."""
    for failure in context.get_step_failure_events():
        context.log.error(f"please look at the register of {context.partition_key}: {failure.message}")


defs = Definitions(
    assets=[price_list, sales, revenue, takings],
    asset_checks=[no_article_loses_money],
    jobs=[read_registers],
    sensors=[
        tell_the_shop,
        AutomationConditionSensorDefinition(
            "follow_the_sales", target="*", minimum_interval_seconds=5, default_status=DefaultSensorStatus.RUNNING
        ),
    ],
    resources={"pipes": PipesSubprocessClient()},
)
