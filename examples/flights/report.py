"""The report: figures and a plot, shown in the UI through metadata."""

import base64
import io
from typing import Any

import pandas as pd

from penstock import AssetExecutionContext, MetadataValue, asset


@asset(group_name="report", kinds={"matplotlib"})
def delay_report(
    context: AssetExecutionContext, delays_and_weather: pd.DataFrame, flights: pd.DataFrame
) -> dict[str, Any]:
    """How many flights there were, how late they left, and what the weather has to do with it."""
    delays = delays_and_weather
    rainy = delays["rain_inch"].fillna(0) > 0.1
    by_carrier = (
        flights.groupby("carrier_name")["dep_delay"].mean().sort_values(ascending=False).round(1).head(8).reset_index()
    )
    report = {
        "flights": int(delays["flights"].sum()),
        "cancelled": int(delays["cancelled"].sum()),
        "days": int(delays["day"].nunique()),
        "mean_departure_delay": round(float(flights["dep_delay"].mean()), 2),
        "departure_delay_on_rainy_days": round(float(delays[rainy]["dep_delay"].mean()), 2),
        "departure_delay_on_dry_days": round(float(delays[~rainy]["dep_delay"].mean()), 2),
    }
    rows = "\n".join(f"| {name} | {delay} |" for name, delay in by_carrier.itertuples(index=False))
    context.add_output_metadata(
        {
            **report,
            "plot": MetadataValue.md(f"![Departure delay by day](data:image/png;base64,{_plot(delays)})"),
            "slowest_carriers": MetadataValue.md(f"| carrier | mean delay (min) |\n| --- | --- |\n{rows}"),
        }
    )
    return report


def _plot(delays: pd.DataFrame) -> str:
    """Departure delay by day and airport as a PNG in base64."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    for origin, table in delays.groupby("origin"):
        smooth = table.assign(day=pd.to_datetime(table["day"])).set_index("day")["dep_delay"].rolling(7, min_periods=1)
        axes.plot(smooth.mean(), label=origin, linewidth=1.4)
    axes.set_ylabel("mean departure delay (min)")
    axes.set_title("Departures from New York City, 2013 (7-day mean)")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, ncols=3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()
