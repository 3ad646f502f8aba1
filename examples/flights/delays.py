"""From raw tables to clean flights, the delays of each day, and those delays beside the weather."""

import pandas as pd

from flights.resources import DuckDB
from penstock import AssetExecutionContext, BackfillPolicy, DailyPartitionsDefinition, asset

days_of_2013 = DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01")


@asset(group_name="clean", kinds={"duckdb"})
def flights(
    context: AssetExecutionContext,
    duckdb: DuckDB,
    raw_flights: pd.DataFrame,
    raw_airlines: pd.DataFrame,
    raw_airports: pd.DataFrame,
    raw_planes: pd.DataFrame,
) -> pd.DataFrame:
    """Flights with their day, carrier name, destination name and plane; none is dropped."""
    table = duckdb.query(
        """
        select make_date(f.year, f.month, f.day) as day, f.hour, f.origin, f.dest, f.carrier, a.name as carrier_name,
               p.name as dest_name, pl.manufacturer, f.tailnum, f.flight, f.dep_delay, f.arr_delay, f.air_time,
               f.distance, f.dep_time is null as cancelled
        from raw_flights f
        left join raw_airlines a using (carrier)
        left join raw_airports p on p.faa = f.dest
        left join raw_planes pl using (tailnum)
        """,
        raw_flights=raw_flights,
        raw_airlines=raw_airlines,
        raw_airports=raw_airports,
        raw_planes=raw_planes,
    )
    table["day"] = pd.to_datetime(table["day"]).dt.strftime("%Y-%m-%d")
    context.add_output_metadata({"rows": len(table), "cancelled": int(table["cancelled"].sum())})
    return table


@asset(group_name="clean", kinds={"duckdb"})
def weather(context: AssetExecutionContext, duckdb: DuckDB, raw_weather: pd.DataFrame) -> pd.DataFrame:
    """The weather of each airport and day: mean temperature, strongest wind, rain, worst visibility."""
    table = duckdb.query(
        """
        select make_date(year, month, day) as day, origin, avg(temp) as temp_f, max(wind_speed) as wind_mph,
               sum(precip) as rain_inch, min(visib) as visibility_miles
        from raw_weather group by all order by all
        """,
        raw_weather=raw_weather,
    )
    table["day"] = pd.to_datetime(table["day"]).dt.strftime("%Y-%m-%d")
    context.add_output_metadata({"rows": len(table)})
    return table


@asset(
    group_name="delays",
    kinds={"pandas"},
    partitions_def=days_of_2013,
    backfill_policy=BackfillPolicy.single_run(),
)
def daily_delays(context: AssetExecutionContext, flights: pd.DataFrame) -> pd.DataFrame | dict[str, pd.DataFrame]:
    """For one day: flights, cancellations and mean delays by airport. A run over many days gives one table for each."""
    by_day = dict(tuple(flights.groupby("day", sort=True)))
    tables = {}
    for done, day in enumerate(context.partition_keys, 1):
        grouped = by_day[day].groupby("origin", as_index=False)
        tables[day] = grouped.agg(
            flights=("flight", "size"),
            cancelled=("cancelled", "sum"),
            dep_delay=("dep_delay", "mean"),
            arr_delay=("arr_delay", "mean"),
        ).assign(day=day)
        context.add_asset_metadata({"flights": int(tables[day]["flights"].sum())}, partition_key=day)
        if done % 100 == 0:
            context.log.info(f"{done} of {len(context.partition_keys)} days")
    return tables if len(tables) > 1 else tables[context.partition_key]


@asset(group_name="delays", kinds={"duckdb"})
def delays_and_weather(
    context: AssetExecutionContext, duckdb: DuckDB, daily_delays: dict[str, pd.DataFrame], weather: pd.DataFrame
) -> pd.DataFrame:
    """Every day's delays beside that day's weather."""
    table = duckdb.query(
        "select * from delays left join weather using (day, origin) order by day, origin",
        delays=pd.concat(daily_delays.values(), ignore_index=True),
        weather=weather,
    )
    context.add_output_metadata({"rows": len(table), "days": int(table["day"].nunique())})
    return table
