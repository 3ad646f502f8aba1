"""What Postgres refuses ends the run with that as its reason, and nothing else of the run is lost."""

from __future__ import annotations

from penstock import AssetMaterialization, OpExecutionContext, job, op
from penstock.records.event import RunFailure
from penstock.records.run import RunStatus
from penstock.testing import instance_for_test


@op
def odd(context: OpExecutionContext) -> None:
    context.log.info("before")
    context.log_event(AssetMaterialization("orders", partition="a\x00b"))
    context.log.info("after")


@job
def odd_job() -> None:
    odd()


def test_a_value_that_the_database_cannot_hold_ends_the_run_with_that_reason(postgres_url: str) -> None:
    settings = {"storage": {"postgres": {"postgres_url": postgres_url}}}
    with instance_for_test(settings) as instance:
        result = odd_job.execute_in_process(instance=instance, raise_on_error=False)
        run = instance.storage.runs.get(result.run_id)
        assert run is not None
        assert run.status is RunStatus.FAILURE
        log = [each.event.fact for each in instance.storage.events.of_run(result.run_id)]
        assert isinstance(log[-1], RunFailure)
        assert "NUL" in log[-1].message
        assert "before" in [getattr(fact, "message", None) for fact in log]
        assert instance.storage.assets.states() == {}
