"""What must hold of the data."""

import pandas as pd

from flights.raw import read_table
from penstock import AssetCheckResult, AssetCheckSeverity, asset_check


@asset_check(asset="flights", blocking=True)
def no_flight_is_lost(flights: pd.DataFrame) -> AssetCheckResult:
    """The joins neither drop nor double a flight."""
    raw = len(read_table("flights"))
    return AssetCheckResult(passed=len(flights) == raw, metadata={"rows": len(flights), "raw_rows": raw})


@asset_check(asset="flights")
def no_negative_air_time(flights: pd.DataFrame) -> AssetCheckResult:
    """No flight lands before it has left."""
    negative = int((flights["air_time"] < 0).sum())
    return AssetCheckResult(passed=negative == 0, metadata={"negative": negative})


@asset_check(asset="delays_and_weather")
def every_day_has_weather(delays_and_weather: pd.DataFrame) -> AssetCheckResult:
    """A day without weather cannot be explained by it."""
    missing = int(delays_and_weather["temp_f"].isna().sum())
    return AssetCheckResult(
        passed=missing == 0,
        severity=AssetCheckSeverity.WARN,
        metadata={"rows_without_weather": missing},
        description=f"{missing} airport-days have no weather" if missing else None,
    )
