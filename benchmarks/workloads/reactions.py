"""An asset with many partitions, a job, and an asset that a sensor waits for, for both subjects.

A line of the mark is: what, its run's id, when.
"""

import importlib
import os
import time

dg = importlib.import_module(os.environ["BENCH_MODULE"])
# The shortest that the peer knows; here a sensor on an asset waits for nothing where no interval is named.
INTERVAL = {"minimum_interval_seconds": 1} if dg.__name__ == "dagster" else {}


def note(what, context):
    with open(os.environ["BENCH_MARK"], "a") as mark:
        mark.write(f"{what} {context.run_id} {time.time()}\n")


@dg.asset(partitions_def=dg.StaticPartitionsDefinition([f"part-{number:04}" for number in range(1000)]))
def parted():
    return None


@dg.asset
def watched(context):
    note("made", context)


@dg.op
def react(context):
    note("reacted", context)


@dg.job(executor_def=dg.in_process_executor)
def reaction():
    react()


@dg.op
def nothing():
    pass


@dg.job(executor_def=dg.in_process_executor)
def trivial():
    nothing()


@dg.asset_sensor(
    asset_key=dg.AssetKey("watched"),
    job=reaction,
    default_status=dg.DefaultSensorStatus.RUNNING,
    **INTERVAL,
)
def on_watched(_context, event):
    return dg.RunRequest(run_key=str(event.storage_id if hasattr(event, "storage_id") else time.time()))


make_watched = dg.define_asset_job("make_watched", selection=["watched"])
defs = dg.Definitions(
    assets=[parted, watched],
    jobs=[reaction, trivial, make_watched],
    sensors=[on_watched],
    executor=dg.in_process_executor,
)
