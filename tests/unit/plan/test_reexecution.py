"""What of a run is left to do again."""

from __future__ import annotations

from penstock.plan.reexecution import steps_to_repeat
from penstock.records.run import StepStats, StepStatus


def test_steps_to_repeat() -> None:
    plan = ("a", "b", "c", "d", "mapped", "collect")

    def step(key: str, status: StepStatus) -> StepStats:
        return StepStats(run_id="r", step_key=key, status=status)

    stats = [
        step("a", StepStatus.SUCCESS),
        step("b", StepStatus.SKIPPED),
        step("c", StepStatus.FAILURE),
        step("mapped[x]", StepStatus.SUCCESS),
        step("mapped[y]", StepStatus.FAILURE),
    ]
    assert steps_to_repeat(plan, stats) == ("c", "d", "mapped", "collect")
    assert steps_to_repeat(plan, []) == plan
