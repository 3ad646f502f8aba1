"""Sensors: what an evaluation asks for, and the requests themselves."""

from typing import Any

import pytest

from penstock import (
    AssetCheckKey,
    AssetKey,
    RunConfig,
    RunRequest,
    SensorResult,
    SkipReason,
    build_sensor_context,
    job,
    op,
    sensor,
)
from penstock.errors import DefinitionError


@op
def work() -> None: ...


@job
def first() -> None:
    work()


@job
def second() -> None:
    work()


def test_a_result_carries_requests_and_cursor() -> None:
    @sensor(job=first, minimum_interval_seconds=5)
    def look(context: object) -> SensorResult:
        return SensorResult([RunRequest("k")], cursor="7")

    asked = look.evaluate(None, {})
    assert [each.run_key for each in asked.run_requests] == ["k"]
    assert asked.cursor == "7"
    assert look.minimum_interval_seconds == 5
    assert look.job is first


def test_yielded_parts_are_put_together() -> None:
    @sensor(job=first)
    def look() -> Any:
        yield SkipReason("a")
        yield SensorResult(skip_reason="b", cursor="1")

    asked = look.evaluate(None, {})
    assert (asked.skip_reason, asked.cursor, asked.run_requests) == ("a; b", "1", ())


def test_a_bare_decorator() -> None:
    @sensor
    def look(context: object) -> SkipReason:
        """Looks."""
        return SkipReason("nothing")

    assert look.name == "look"
    assert look.description == "Looks."
    assert look.job_names == ()
    assert look(None).skip_message == "nothing"


def test_requests_must_name_one_of_several_jobs() -> None:
    @sensor(jobs=[first, second])
    def look(context: Any) -> RunRequest:
        return RunRequest(job_name=context)

    assert look.evaluate("second", {}).run_requests[0].job_name == "second"
    with pytest.raises(DefinitionError, match='of which job; give the RunRequest a job_name: "first" or "second"'):
        look.evaluate(None, {})
    with pytest.raises(DefinitionError, match='the job "third", which is none of its jobs'):
        look.evaluate("third", {})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"minimum_interval_seconds": 0}, "give more than 0"),
        ({"minimum_interval_seconds": float("nan")}, "give more than 0"),
        ({"job": first, "job_name": "x"}, "say in one way"),
        ({"job": 3}, "give a job"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):

        @sensor(**options)
        def look() -> None: ...


def test_a_result_gives_requests_or_a_reason() -> None:
    with pytest.raises(DefinitionError, match="give one of them"):
        SensorResult([RunRequest()], skip_reason="x")
    with pytest.raises(DefinitionError, match="a cursor is a text"):
        SensorResult(cursor=3)  # type: ignore[arg-type]


def test_a_request_as_a_record() -> None:
    request = RunRequest(
        "key",
        RunConfig(ops={"work": {"config": 1}}),
        tags={"own": 1},
        asset_selection=["a", AssetKey(["p", "b"])],
        asset_check_keys=[AssetCheckKey(AssetKey("a"), "c")],
        partition_key="2024-01-01",
    )
    record = request.record({"own": "outer", "other": "x"})
    assert record.run_config == {"ops": {"work": {"config": 1}}}
    assert record.tags == {"own": "1", "other": "x"}
    assert record.assets == ("a", "p/b")
    assert record.checks == ("a:c",)
    assert record.partition == "2024-01-01"
    with pytest.raises(DefinitionError, match=r"The run_key of a RunRequest \(.*\) is 3; give a text"):
        RunRequest(run_key=3)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="give a dict or a RunConfig"):
        RunRequest(run_config=3)  # type: ignore[arg-type]


def test_a_tick_that_sets_no_cursor_leaves_the_present_one() -> None:
    @sensor(job=first)
    def quiet() -> SkipReason:
        return SkipReason("nothing new")

    assert quiet.evaluate_tick(build_sensor_context(cursor="7")).cursor == "7"
    assert quiet.evaluate_tick(build_sensor_context()).cursor is None
