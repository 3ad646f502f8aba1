"""What of a run is left to do again."""

from __future__ import annotations

from penstock.plan.reexecution import steps_to_repeat
from penstock.records.location import InputDescription, StepDescription, StepRef
from penstock.records.run import StepStats, StepStatus


def test_steps_to_repeat() -> None:
    def planned(key: str, *feeding: str) -> StepDescription:
        sources = tuple(StepRef(step=each) for each in feeding)
        return StepDescription(key=key, op=key, inputs=(InputDescription(name="x", sources=sources),))

    def step(key: str, status: StepStatus) -> StepStats:
        return StepStats(run_id="r", step_key=key, status=status)

    plan = (
        planned("a"),
        planned("b"),
        planned("c"),
        planned("d", "c"),
        planned("mapped", "a"),
        planned("after_mapped", "mapped"),
        planned("collect", "after_mapped"),
        planned("all_failed", "a"),
    )
    stats = [
        step("a", StepStatus.SUCCESS),
        step("b", StepStatus.SKIPPED),
        step("c", StepStatus.FAILURE),
        step("mapped[x]", StepStatus.SUCCESS),
        step("mapped[y]", StepStatus.FAILURE),
        step("after_mapped[x]", StepStatus.SUCCESS),
        step("all_failed[x]", StepStatus.FAILURE),
    ]
    assert steps_to_repeat(plan, stats) == ("c", "d", "mapped[?]", "after_mapped[?]", "collect", "all_failed")
    assert steps_to_repeat(plan, []) == tuple(each.key for each in plan)
