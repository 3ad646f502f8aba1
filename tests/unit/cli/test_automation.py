"""`penstock schedule`, `penstock sensor` and `penstock one-off`: what operators say, by command."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.cli.automation import schedule, sensor
from penstock.cli.job import job
from penstock.cli.one_off import one_off
from penstock.codec import encode_json
from penstock.config.schema import Field, Scalar, Shape
from penstock.errors import ConfigurationError
from penstock.instance.instance import Instance
from penstock.records.location import (
    JobDescription,
    LocationDescription,
    ScheduleDescription,
    SensorDescription,
    StepDescription,
)
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation

CONFIG = Shape(fields={"rows": Field(type=Scalar(kind="int"), required=False)})


def declare(home: Path, *schedules: str) -> None:
    description = LocationDescription(
        name="shop",
        jobs=(JobDescription(name="nightly", steps=(StepDescription(key="s", op="s"),), config_schema=CONFIG),),
        schedules=tuple(ScheduleDescription(name=name, cron=("30 2 * * *",), job="nightly") for name in schedules),
        sensors=(
            SensorDescription(name="files", jobs=("nightly",)),
            SensorDescription(name="called", kind="WEBHOOK", jobs=("nightly",), interval=0.0),
            SensorDescription(name="made", kind="ASSET", assets=("a",), jobs=("nightly",), interval=60.0),
        ),
    )
    with Instance.open(home) as instance:
        instance.storage.locations.put(
            StoredLocation(
                name="shop",
                status=LoadStatus.LOADED,
                digest=",".join(schedules) or "none",
                description=encode_json(description),
            )
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    declare(tmp_path, "at_night")
    return tmp_path


def told(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(result: Result) -> str:
    assert isinstance(result.exception, ConfigurationError)
    return str(result.exception)


def call(*arguments: str) -> Result:
    group = {"schedule": schedule, "sensor": sensor, "one-off": one_off, "job": job}[arguments[0]]
    return CliRunner().invoke(group, list(arguments[1:]))


def test_an_override_shows_until_it_is_withdrawn(home: Path) -> None:
    assert "30 2 * * * UTC" in told(call("schedule", "list"))
    told(
        call(
            "schedule", "override", "at_night", "--cron", "0 5 * * *", "--cron", "@weekly",
            "--timezone", "Europe/Berlin",
            "--pause-until", "2096-11-30T22:00", "--tags", '{"a": "b"}', "--reason", "the source is down",
        )
    )  # fmt: skip
    listed = told(call("schedule", "list"))
    assert "0 5 * * * | @weekly Europe/Berlin (overridden, paused until 2096-11-30 22:00:00)" in listed
    with Instance.open(home) as instance:
        state = instance.storage.instigators.get("shop/schedule/at_night")
    assert state is not None
    assert state.override is not None
    assert (state.override.tags, state.override.run_config) == ({"a": "b"}, None)
    told(call("schedule", "withdraw", "at_night", "--reason", "it is back"))
    assert "overridden" not in told(call("schedule", "list"))
    acts = told(call("schedule", "acts", "at_night")).splitlines()
    assert [line.split()[3] for line in acts[1:]] == ["WITHDRAW", "OVERRIDE"]
    assert "the source is down" in acts[2]


def test_when_sensors_are_evaluated_and_tokens_of_those_that_are_called(home: Path) -> None:
    listed = told(call("sensor", "list"))
    assert "on events\n" in listed
    assert "on events, every 60 s at most" in listed
    assert "every 30 s" in listed
    text, hint = told(call("sensor", "token", "create", "called")).splitlines()
    assert text.startswith("pswh_")
    assert "This is token 1" in hint
    shown = told(call("sensor", "token", "list", "called"))
    assert f"...{text[-4:]}" in shown
    assert text not in shown
    assert "one is made with @webhook_sensor" in refused(call("sensor", "token", "create", "files"))
    told(call("sensor", "token", "revoke", "called", "1"))
    assert "No tokens." in told(call("sensor", "token", "list", "called"))
    assert "has no token 1" in refused(call("sensor", "token", "revoke", "called", "1"))


def test_a_sensor_gets_another_interval_and_run_config(home: Path) -> None:
    told(call("sensor", "override", "files", "--interval", "300", "--config-json", '{"rows": 3}'))
    refusal = refused(call("sensor", "override", "files", "--config-json", '{"rows": "x"}'))
    assert "rows" in refusal
    assert "every 300 s (overridden)" in told(call("sensor", "list"))
    assert "has no cron text" in refused(call("sensor", "override", "files", "--cron", "@daily"))
    assert "sets nothing" in refused(call("sensor", "override", "files"))
    result = call("sensor", "override", "files", "--pause-until", "tomorrow")
    assert result.exit_code == 2
    assert "write it like" in result.output


def test_one_whose_code_is_gone_is_removed_and_restored(home: Path) -> None:
    told(call("schedule", "start", "at_night", "--reason", "now"))
    assert "defines the schedule" in refused(call("schedule", "remove", "at_night"))
    assert "was not removed" in refused(call("schedule", "restore", "at_night"))
    declare(home)
    assert "NO CODE" in told(call("schedule", "list"))
    told(call("schedule", "remove", "at_night"))
    assert "REMOVED" in told(call("schedule", "list"))
    declare(home, "at_night")
    assert "REMOVED" in told(call("schedule", "list"))
    told(call("schedule", "restore", "at_night"))
    assert "RUNNING" in told(call("schedule", "list"))
    kinds = [line.split()[3] for line in told(call("schedule", "acts")).splitlines()[1:]]
    assert kinds == ["RESTORE", "REMOVE", "START"]


def test_what_is_not_there(home: Path) -> None:
    assert "is in no location; `penstock schedule list`" in refused(call("schedule", "withdraw", "none"))
    assert "has no override" in refused(call("schedule", "withdraw", "at_night"))
    assert told(call("schedule", "acts")) == "Nobody has done anything.\n"
    assert told(call("one-off", "list")) == "No one-off runs.\n"
    assert "There is no one-off run 7" in refused(call("one-off", "cancel", "7"))


def test_a_one_off_run_is_asked_for_and_called_off(home: Path) -> None:
    asked = told(
        call("job", "launch", "nightly", "--at", "2096-11-30T22:00", "--tags", '{"a": "b"}', "--reason", "end")
    )
    assert asked == "The one-off run 1 is made at 2096-11-30 22:00:00.\n"
    assert told(call("one-off", "list")).splitlines()[1].split()[:3] == ["1", "nightly", "shop"]
    with Instance.open(home) as instance:
        (waiting,) = instance.storage.one_offs.waiting()
    assert (waiting.tags, waiting.by.reason, waiting.until - waiting.due) == ({"a": "b"}, "end", 86_400)
    assert (waiting.by.actor or "").endswith(f"@{socket.gethostname()}")
    told(call("one-off", "cancel", "1"))
    assert "CANCELED" in told(call("one-off", "list"))
    assert "give a time to come" in refused(call("job", "launch", "nightly", "--at", "1996-11-30T22:00"))
    assert "--at" in refused(call("job", "launch", "nightly", "--until", "2096-11-30T22:00"))
    assert "no run yet" in refused(call("job", "launch", "nightly", "--at", "2096-11-30T22:00", "--wait"))
