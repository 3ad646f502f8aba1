"""Many schedules and sensors that do nothing but write down when they were evaluated, for both subjects.

`BENCH_COUNT` says how many of each. A fifth of the schedules are due at each full minute, all at once. A line of
the mark is: kind, name, when it was due (0 for a sensor), when it was.
"""

import importlib
import os
import time

dg = importlib.import_module(os.environ["BENCH_MODULE"])
COUNT = int(os.environ["BENCH_COUNT"])
INTERVAL = 30


@dg.op
def nothing():
    pass


@dg.job
def trivial():
    nothing()


def note(kind, name, due):
    with open(os.environ["BENCH_MARK"], "a") as mark:
        mark.write(f"{kind} {name} {due} {time.time()}\n")


def make_schedule(number):
    @dg.schedule(
        name=f"schedule_{number}",
        job=trivial,
        cron_schedule=f"{number % 5}-59/5 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def every_five_minutes(context):
        note("schedule", number, context.scheduled_execution_time.timestamp())
        return dg.SkipReason("nothing to do")

    return every_five_minutes


def make_sensor(number):
    @dg.sensor(
        name=f"sensor_{number}",
        job=trivial,
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def looking(_context):
        note("sensor", number, 0)
        return dg.SkipReason("nothing to do")

    return looking


defs = dg.Definitions(
    jobs=[trivial],
    schedules=[make_schedule(number) for number in range(COUNT)],
    sensors=[make_sensor(number) for number in range(COUNT)],
)
