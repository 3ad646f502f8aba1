"""What the code location `flights` offers."""

from flights import automation, checks, delays, raw, report
from flights.resources import DuckDB
from penstock import Definitions, load_asset_checks_from_modules, load_assets_from_modules

defs = Definitions(
    assets=load_assets_from_modules([raw, delays, report]),
    asset_checks=load_asset_checks_from_modules([checks]),
    jobs=[automation.refresh_report, automation.inspect_new_file],
    schedules=[automation.every_morning],
    sensors=[automation.new_files],
    resources={"duckdb": DuckDB()},
)
