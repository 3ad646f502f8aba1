"""Mistakes in schedules and sensors of every kind."""

# mypy: ignore-errors
# Mistakes are what a type checker would tell of, too.

from __future__ import annotations

from typing import Any

import penstock as ps

from .table import mistake


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


@mistake("A schedule without a job")
def _() -> Any:
    return ps.ScheduleDefinition(name="nightly", cron_schedule="@daily")


@mistake("A schedule for a job by a name that no job has")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    schedule = ps.ScheduleDefinition(job_name="nightl", cron_schedule="@daily")
    return ps.Definitions(jobs=[nightly], schedules=[schedule]).resolved


@mistake("A schedule with both a run config and a function for it")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    return ps.ScheduleDefinition(
        job=nightly, cron_schedule="@daily", run_config={"ops": {}}, run_config_fn=lambda _context: {}
    )


@mistake("A word for a schedule that cron does not know")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    return ps.ScheduleDefinition(job=nightly, cron_schedule="@dayly")


@mistake("A schedule among the sensors")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    return ps.Definitions(sensors=[ps.ScheduleDefinition(job=nightly, cron_schedule="@daily")])


@mistake("Two schedules of one name")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    schedules = [ps.ScheduleDefinition(job=nightly, cron_schedule=cron) for cron in ("@daily", "@weekly")]
    return ps.Definitions(schedules=schedules).resolved


@mistake("A schedule's context without a time")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    @ps.schedule(cron_schedule="@daily", job=nightly)
    def every_night(context: ps.ScheduleEvaluationContext) -> Any:
        return ps.RunRequest(run_key=context.scheduled_execution_time.isoformat())

    return every_night(ps.build_schedule_context())


@mistake("A schedule of a partitioned job that is not partitioned")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    schedule = ps.build_schedule_from_partitioned_job(nightly)
    return ps.Definitions(jobs=[nightly], schedules=[schedule]).resolved


@mistake("A sensor that returns a text")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    @ps.sensor(job=nightly)
    def watch() -> Any:
        return "nothing new"

    return watch.evaluate(ps.build_sensor_context(), {})


@mistake("A sensor that asks for a million runs at once")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    @ps.sensor(job=nightly)
    def watch() -> Any:
        for number in range(1_000_000):
            yield ps.RunRequest(run_key=str(number))

    return watch.evaluate(ps.build_sensor_context(), {})


@mistake("A sensor without a job that asks for a run")
def _() -> Any:
    @ps.sensor()
    def watch() -> Any:
        return ps.RunRequest()

    return watch.evaluate(ps.build_sensor_context(), {})


@mistake("A sensor that asks for a run of a job that it does not have")
def _() -> Any:
    @ps.job
    def first() -> None: ...

    @ps.job
    def second() -> None: ...

    @ps.sensor(jobs=[first, second])
    def watch() -> Any:
        return ps.RunRequest(job_name="frist")

    return watch.evaluate(ps.build_sensor_context(), {})


@mistake("A sensor's interval of less than a second")
def _() -> Any:
    @ps.sensor(minimum_interval_seconds=0)
    def watch() -> Any: ...


@mistake("A sensor's cursor that is a number")
def _() -> Any:
    @ps.sensor()
    def watch(context: ps.SensorEvaluationContext) -> Any:
        context.update_cursor(3)

    return watch(ps.build_sensor_context())


@mistake("A sensor that yields results and requests together")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    @ps.sensor(job=nightly)
    def watch() -> Any:
        yield ps.RunRequest()
        yield ps.SensorResult(skip_reason="no")

    return watch.evaluate(ps.build_sensor_context(), {})


@mistake("A sensor result with requests and a reason to skip")
def _() -> Any:
    return ps.SensorResult(run_requests=[ps.RunRequest()], skip_reason="nothing new")


@mistake("A sensor of an asset whose function takes nothing")
def _() -> Any:
    @ps.asset
    def orders() -> None: ...

    @ps.job
    def nightly() -> None: ...

    @ps.asset_sensor(asset_key="orders", job=nightly)
    def watch() -> Any:
        return ps.RunRequest()

    return ps.Definitions(assets=[orders], sensors=[watch]).resolved


@mistake("A sensor of several assets that watches none")
def _() -> Any:
    @ps.job
    def nightly() -> None: ...

    @ps.multi_asset_sensor(monitored_assets=[], job=nightly)
    def watch(context: ps.MultiAssetSensorEvaluationContext) -> Any:
        return ps.RunRequest()


@mistake("A sensor of a run's end that names the end with a text")
def _() -> Any:
    @ps.run_status_sensor(run_status="FAILED")
    def tell(context: ps.RunStatusSensorContext) -> None: ...


@mistake("A sensor of runs that takes no context of its kind")
def _() -> Any:
    @ps.run_failure_sensor
    def tell(run: Any, moment: Any) -> None: ...

    return ps.Definitions(sensors=[tell]).resolved


@mistake("A sensor's resource that nobody gives")
def _() -> Any:
    class Mailer(ps.ConfigurableResource):
        host: str

    @ps.sensor()
    def watch(mailer: Mailer) -> Any: ...

    return ps.Definitions(sensors=[watch], resources={"mail": Mailer(host="mail")}).resolved


@mistake("A run request whose tags are a text")
def _() -> Any:
    return ps.RunRequest(tags="nightly")


@mistake("An automation sensor without assets")
def _() -> Any:
    return ps.AutomationConditionSensorDefinition("conditions", target=None)
