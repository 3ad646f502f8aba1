"""Many assets in groups, each made of up to three others, and one with a partition for each hour: both subjects' code.

BENCH_ASSETS and BENCH_PARTITIONS say how many there are.
"""

import importlib
import os
from datetime import UTC, datetime, timedelta

dg = importlib.import_module(os.environ["BENCH_MODULE"])

GROUPS = 20
FIRST_HOUR = datetime(2015, 1, 1, tzinfo=UTC)


def make_asset(number):
    deps = [f"asset_{back}" for back in sorted({number // 2, number // 3, number // 7} - {number})]

    @dg.asset(name=f"asset_{number}", deps=deps, group_name=f"group_{number % GROUPS}")
    def made():
        return None

    return made


def make_hourly(count):
    begin, end = (each.strftime("%Y-%m-%d-%H:%M") for each in (FIRST_HOUR, FIRST_HOUR + timedelta(hours=count)))

    @dg.asset(name="hourly", partitions_def=dg.HourlyPartitionsDefinition(start_date=begin, end_date=end))
    def made():
        return None

    return made


assets = [make_asset(number) for number in range(int(os.environ["BENCH_ASSETS"]) - 1)]
defs = dg.Definitions(assets=[*assets, make_hourly(int(os.environ["BENCH_PARTITIONS"]))])
