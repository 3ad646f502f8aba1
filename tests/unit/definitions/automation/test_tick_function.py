"""Functions of schedules and sensors as a test calls them."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import (
    ConfigurableResource,
    RunRequest,
    SensorEvaluationContext,
    build_schedule_context,
    build_sensor_context,
    job,
    op,
    schedule,
    sensor,
)
from penstock.errors import DefinitionError, InvocationError


class Folder(ConfigurableResource):
    name: str


@op
def nothing() -> None: ...


@job
def work() -> None:
    nothing()


@sensor(job=work)
def with_folder(context: SensorEvaluationContext, folder: Folder) -> RunRequest:
    return RunRequest(run_key=f"{folder.name}{context.cursor}")


@sensor(job=work)
def with_folder_alone(folder: Folder) -> RunRequest:
    return RunRequest(run_key=folder.name)


@sensor(job=work)
def of_another_name(moment: SensorEvaluationContext) -> RunRequest:
    return RunRequest(run_key=moment.cursor)


@schedule(cron_schedule="@daily", job=work)
def daily(folder: Folder) -> RunRequest:
    return RunRequest(run_key=folder.name)


CONTEXT = build_sensor_context(cursor="7", resources={"folder": Folder(name="inbox")})


def test_resources_come_from_the_context_or_by_name() -> None:
    assert with_folder(CONTEXT).run_key == "inbox7"
    assert with_folder(context=CONTEXT).run_key == "inbox7"
    assert with_folder(build_sensor_context(cursor="1"), folder=Folder(name="x")).run_key == "x1"
    assert with_folder_alone(CONTEXT).run_key == "inbox"
    assert with_folder_alone(folder=Folder(name="x")).run_key == "x"
    assert daily(build_schedule_context(resources={"folder": Folder(name="x")})).run_key == "x"


def test_a_context_may_have_any_name() -> None:
    assert of_another_name(CONTEXT).run_key == "7"
    assert of_another_name(moment=CONTEXT).run_key == "7"


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "without context; it takes context .the context., folder"),
        ((build_sensor_context(),), {}, 'needs the resource "folder"; give it by name, or to the function that makes'),
        ((CONTEXT, 1), {}, "with 2 values"),
        ((CONTEXT,), {"fodler": 1}, "with fodler"),
        ((CONTEXT,), {"context": CONTEXT}, "by position and by name"),
    ],
)
def test_a_call_that_does_not_fit_says_what_is_taken(args: Any, kwargs: Any, words: str) -> None:
    with pytest.raises(InvocationError, match=words):
        with_folder(*args, **kwargs)


def test_a_function_that_takes_more_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"the parameters .context, event.; it takes the context, and resources"):

        @sensor(job=work)
        def wrong(context: Any, event: Any) -> None: ...
