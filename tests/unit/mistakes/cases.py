"""The commonest mistakes, one function each. What each is told stands in `messages.md`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import penstock as ps

__all__ = ["MISTAKES"]

MISTAKES: dict[str, Callable[[], Any]] = {}
"""By a sentence that says what somebody did wrong: code that does it."""


def mistake(said: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Take a function into the table."""

    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        assert said not in MISTAKES, said
        MISTAKES[said] = function
        return function

    return register


# -- ops, graphs and jobs ---------------------------------------------------------------------------------------------


@mistake("A value of another type than the annotation says")
def _() -> Any:
    @ps.op
    def count() -> int:
        return "three"  # type: ignore[return-value]

    @ps.job
    def counting() -> None:
        count()

    return counting.execute_in_process()


@mistake("Ops that wait for each other in a circle")
def _() -> Any:
    @ps.asset(deps=["b"])
    def a() -> None: ...

    @ps.asset(deps=["a"])
    def b() -> None: ...

    return ps.Definitions(assets=[a, b]).resolved


@mistake("An op called with an argument that it does not have")
def _() -> Any:
    @ps.op
    def one() -> int:
        return 1

    @ps.op
    def double(number: int) -> int:
        return 2 * number

    @ps.job
    def doubling() -> None:
        double(numbr=one())


@mistake("An op called without an input that nothing else gives")
def _() -> Any:
    @ps.op
    def store(table: object) -> None: ...

    @ps.job
    def storing() -> None:
        store()

    return storing.execute_in_process()


@mistake("A plain value passed to an op inside a job")
def _() -> Any:
    @ps.op
    def double(number: int) -> int:
        return 2 * number

    @ps.job
    def doubling() -> None:
        double(3)


@mistake("A function without the decorator among the assets")
def _() -> Any:
    def orders() -> None: ...

    return ps.Definitions(assets=[orders])  # type: ignore[list-item]


@mistake("Two ops of one name in one job")
def _() -> Any:
    @ps.op(name="load")
    def load_first() -> None: ...

    @ps.op(name="load")
    def load_second() -> None: ...

    @ps.job
    def loading() -> None:
        load_first()
        load_second()


@mistake("Two jobs of one name")
def _() -> Any:
    def make() -> Any:
        @ps.job
        def nightly() -> None: ...

        return nightly

    return ps.Definitions(jobs=[make(), make()]).resolved


@mistake("A required output that the op did not give")
def _() -> Any:
    @ps.op(out={"good": ps.Out(), "bad": ps.Out()})
    def split() -> Any:
        yield ps.Output(1, "good")

    @ps.job
    def splitting() -> None:
        split()

    return splitting.execute_in_process()


@mistake("An output that the op does not declare")
def _() -> Any:
    @ps.op(out={"good": ps.Out()})
    def split() -> Any:
        yield ps.Output(1, "god")

    @ps.job
    def splitting() -> None:
        split()

    return splitting.execute_in_process()


@mistake("A return value for several outputs that is no tuple of that length")
def _() -> Any:
    @ps.op(out={"good": ps.Out(), "bad": ps.Out()})
    def split() -> Any:
        return 1

    @ps.job
    def splitting() -> None:
        split()

    return splitting.execute_in_process()


@mistake("A name with characters that names cannot have")
def _() -> Any:
    @ps.op(name="load orders")
    def load() -> None: ...


@mistake("An error of the user's own inside an op")
def _() -> Any:
    @ps.op
    def divide() -> float:
        return 1 / 0

    @ps.job
    def dividing() -> None:
        divide()

    return dividing.execute_in_process()


# -- assets -----------------------------------------------------------------------------------------------------------


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


@mistake("A check of an asset that does not exist")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    @ps.asset_check(asset="ordes")
    def some_rows() -> ps.AssetCheckResult:
        return ps.AssetCheckResult(passed=True)

    return ps.Definitions(assets=[orders], asset_checks=[some_rows]).resolved


@mistake("A check that returns neither true, false nor a result")
def _() -> Any:
    @ps.asset
    def orders() -> int:
        return 1

    @ps.asset_check(asset=orders)
    def some_rows() -> Any:
        return 7

    return ps.materialize([orders, some_rows])


# -- resources and config ---------------------------------------------------------------------------------------------


@mistake("A resource that nobody gives")
def _() -> Any:
    @ps.asset(required_resource_keys={"warehouse"})
    def orders() -> None: ...

    return ps.Definitions(assets=[orders], resources={"warehous": object()}).resolved


@mistake("An IO manager that nobody gives")
def _() -> Any:
    @ps.asset(io_manager_key="lake")
    def orders() -> int:
        return 1

    return ps.Definitions(assets=[orders]).resolved


@mistake("A mistyped field, a wrong value and a missing one in a run config")
def _() -> Any:
    class Limits(ps.Config):
        rows: int
        mode: str
        strict: bool = False

    @ps.op
    def load(config: Limits) -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process({"ops": {"load": {"config": {"rows": "many", "strct": True}}}})


@mistake("A run config without what is required")
def _() -> Any:
    class Limits(ps.Config):
        rows: int

    @ps.op
    def load(config: Limits) -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process()


@mistake("A run config for an op that the job does not have")
def _() -> Any:
    @ps.op
    def load() -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process({"ops": {"lod": {"config": {}}}})


@mistake("A config class that is used without an annotation of its own")
def _() -> Any:
    @ps.op
    def load(config: dict) -> None: ...  # type: ignore[type-arg]

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process()


@mistake("An environment variable that is not set")
def _() -> Any:
    class Warehouse(ps.ConfigurableResource[Any]):
        password: str

    @ps.asset
    def orders(warehouse: Warehouse) -> None: ...

    return ps.materialize([orders], resources={"warehouse": Warehouse(password=ps.EnvVar("WAREHOUSE_PASSWORD_UNSET"))})


# -- partitions, schedules, sensors -----------------------------------------------------------------------------------


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


@mistake("A cron text with a day that no month has")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    return ps.ScheduleDefinition(job=nightly, cron_schedule="0 0 32 * *")


@mistake("A cron text with too few fields")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    return ps.ScheduleDefinition(job=nightly, cron_schedule="0 2")


@mistake("A time zone that does not exist")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    return ps.ScheduleDefinition(job=nightly, cron_schedule="@daily", execution_timezone="Europe/Berln")


@mistake("A schedule that returns something else than requests")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    @ps.schedule(cron_schedule="@daily", job=nightly)
    def every_night() -> Any:
        return 42

    return every_night.evaluate(ps.build_schedule_context(), {})


@mistake("A sensor that asks for a run without saying of which of its jobs")
def _() -> Any:
    @ps.job
    def first() -> None: ...

    @ps.job
    def second() -> None: ...

    @ps.sensor(jobs=[first, second])
    def watch() -> Any:
        return ps.RunRequest()

    return watch.evaluate(ps.build_sensor_context(), {})
