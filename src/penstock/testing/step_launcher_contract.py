"""The contract suite of step launchers: every promise of `StepLauncher`, as tests.

An implementation passes it by a test class of its own:

    class TestMyLauncher(StepLauncherContract):
        @pytest.fixture
        def make_launcher(self): ...   # a function that makes a launcher; those that it makes know of each other's work
        @pytest.fixture
        def instance(self): ...        # an `Instance` with a home which the launched processes can open
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ..clock import SYSTEM_CLOCK
from ..engine.step_messages import Start
from ..execution.step_launcher import StepCheck, StepLauncher
from ..execution.step_order import Elsewhere, JobSource, StepOrder, lane_of
from ..ids import new_run_id
from ..instance.instance import Instance
from ..records.event import Event, LogLine, RunStart, StepFailure
from ..records.run import Run
from ..storage.protocols import NewRun
from .launched_code import RELEASED

__all__ = ["StepLauncherContract"]

_DEADLINE = 60.0
"""Seconds within which a step begins, or ends."""

Order = Callable[..., StepOrder]
Make = Callable[[], StepLauncher]


class StepLauncherContract:
    """What holds for every launcher."""

    @pytest.fixture
    def launcher(self, make_launcher: Make) -> StepLauncher:
        """One launcher."""
        return make_launcher()

    @pytest.fixture
    def order(self, instance: Instance, make_launcher: Make) -> Iterator[Order]:
        """Makes orders for steps of one run that has started; what they launched is gone at the end."""
        now = SYSTEM_CLOCK.now()
        run_id = new_run_id()
        instance.storage.runs.create([NewRun(run=Run(run_id=run_id, location="contract", job="launched"))])
        (run,) = instance.storage.runs.claim([run_id], owner="contract", until=now + 600, now=now)
        started = Event(time=now, fact=RunStart(pid=os.getpid()), seq=1)
        instance.storage.events.append(run_id, run.attempt, [started], now=now)
        assert instance.reference is not None, "the instance of the contract needs a home"
        reference: dict[str, Any] = instance.reference
        made: list[StepOrder] = []

        def make(step: str, *, module: str = "penstock.testing.launched_code", retry: int = 0) -> StepOrder:
            code = JobSource(module=module, name="launched")
            start = Start(step=step, spec=step, mapping_key=None, retry=retry, inputs={})
            where = Elsewhere(code=code, instance=reference)
            made.append(StepOrder(run=run, start=start, lane=len(made) + 1, where=where))
            return made[-1]

        yield make
        for each in made:
            make_launcher().terminate(each, force=True)
            self.gone(instance, make_launcher(), each)
            make_launcher().forget(each)

    # -- what a test waits for ----------------------------------------------------------------------------------------

    def events(self, instance: Instance, order: StepOrder) -> list[Event]:
        """What the launched step has written."""
        stored = instance.storage.events.of_run(order.run.run_id, limit=10_000)
        return [each.event for each in stored if lane_of(each.event.seq) == order.lane]

    def types(self, instance: Instance, order: StepOrder) -> list[str]:
        """The types of what the launched step has written."""
        return [each.type for each in self.events(instance, order)]

    def until(self, instance: Instance, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds, looking whenever the storage changes."""
        end = SYSTEM_CLOCK.monotonic() + _DEADLINE
        subscription = instance.storage.notifier.subscribe()
        try:
            while not condition():
                assert SYSTEM_CLOCK.monotonic() < end, f"waited {_DEADLINE:g} s in vain until {what}"
                subscription.wait(0.2)
        finally:
            subscription.close()

    def there(self, instance: Instance, order: StepOrder) -> None:
        """Wait until the step's own code runs."""

        def is_there() -> bool:
            facts = [each.fact for each in self.events(instance, order)]
            return any(isinstance(fact, LogLine) and fact.message == "there" for fact in facts)

        self.until(instance, is_there, f"the step {order.start.step} is there")

    def gone(self, instance: Instance, launcher: StepLauncher, order: StepOrder) -> StepCheck:
        """Wait until the launcher says that the step runs no more; gives what it says then."""
        self.until(instance, lambda: not launcher.check(order).running, f"the step {order.start.step} is gone")
        return launcher.check(order)

    def release(self, instance: Instance, order: StepOrder) -> None:
        """Let waiting steps go on."""
        instance.storage.runs.add_tags(order.run.run_id, {RELEASED: "yes"})

    # -- the promises -------------------------------------------------------------------------------------------------

    def test_a_launch_runs_the_step_and_its_events_are_in_the_log(
        self, instance: Instance, launcher: StepLauncher, order: Order
    ) -> None:
        quick = order("quick")
        launcher.launch(quick)
        check = self.gone(instance, launcher, quick)
        assert self.types(instance, quick)[0] == "STEP_WORKER_STARTED"
        assert self.types(instance, quick)[-1] == "STEP_SUCCESS"
        assert check.exit_code in (0, None)

    def test_a_step_that_runs_is_said_to_run(self, instance: Instance, launcher: StepLauncher, order: Order) -> None:
        waiting = order("waiting")
        launcher.launch(waiting)
        assert launcher.check(waiting).running
        self.there(instance, waiting)
        check = launcher.check(waiting)
        assert check.running
        assert check.what
        self.release(instance, waiting)
        self.gone(instance, launcher, waiting)
        assert self.types(instance, waiting)[-1] == "STEP_SUCCESS"

    def test_a_step_that_was_never_launched_does_not_run(self, launcher: StepLauncher, order: Order) -> None:
        check = launcher.check(order("quick"))
        assert not check.running
        assert check.what
        assert check.reason

    def test_an_order_that_is_launched_again_is_one_run_of_the_step(
        self, instance: Instance, make_launcher: Make, order: Order
    ) -> None:
        waiting = order("waiting")
        launcher = make_launcher()
        launcher.launch(waiting)
        launcher.launch(waiting)
        self.there(instance, waiting)
        make_launcher().launch(waiting)
        self.release(instance, waiting)
        self.gone(instance, launcher, waiting)
        launcher.launch(waiting)  # also when it has ended
        self.gone(instance, launcher, waiting)
        assert self.types(instance, waiting).count("STEP_WORKER_STARTED") == 1

    def test_attempts_of_a_step_are_launched_each_by_itself(
        self, instance: Instance, launcher: StepLauncher, order: Order
    ) -> None:
        first, second = order("quick"), order("quick", retry=1)
        launcher.launch(first)
        self.gone(instance, launcher, first)
        launcher.launch(second)
        self.gone(instance, launcher, second)
        assert self.types(instance, first)[-1] == self.types(instance, second)[-1] == "STEP_SUCCESS"

    def test_a_step_is_asked_to_end(self, instance: Instance, launcher: StepLauncher, order: Order) -> None:
        waiting = order("waiting")
        launcher.launch(waiting)
        self.there(instance, waiting)
        launcher.terminate(waiting, force=False)
        self.gone(instance, launcher, waiting)
        (failure,) = [each.fact for each in self.events(instance, waiting) if isinstance(each.fact, StepFailure)]
        assert failure.source == "INTERRUPT"

    def test_a_step_that_does_not_heed_it_is_ended_by_force(
        self, instance: Instance, launcher: StepLauncher, order: Order
    ) -> None:
        deaf = order("deaf")
        launcher.launch(deaf)
        self.there(instance, deaf)
        launcher.terminate(deaf, force=False)
        assert launcher.check(deaf).running
        launcher.terminate(deaf, force=True)
        check = self.gone(instance, launcher, deaf)
        assert check.reason
        assert self.types(instance, deaf)[-1] == "LOG"

    def test_what_has_ended_or_never_began_can_be_terminated(
        self, instance: Instance, launcher: StepLauncher, order: Order
    ) -> None:
        quick, never = order("quick"), order("waiting")
        launcher.launch(quick)
        self.gone(instance, launcher, quick)
        for force in (False, True):
            launcher.terminate(quick, force=force)
            launcher.terminate(never, force=force)
        assert not launcher.check(never).running

    def test_a_step_that_is_killed_is_gone_and_the_launcher_says_how(
        self, instance: Instance, launcher: StepLauncher, order: Order
    ) -> None:
        dying = order("dying")
        launcher.launch(dying)
        check = self.gone(instance, launcher, dying)
        assert check.exit_code in (-9, 137, None)
        assert check.reason
        assert "STEP_START" in self.types(instance, dying)
        assert "STEP_SUCCESS" not in self.types(instance, dying)

    def test_code_that_cannot_be_loaded_fails_the_step(
        self, instance: Instance, launcher: StepLauncher, order: Order
    ) -> None:
        astray = order("quick", module="penstock.testing.no_such_module")
        launcher.launch(astray)
        self.gone(instance, launcher, astray)
        (failure,) = [each.fact for each in self.events(instance, astray) if isinstance(each.fact, StepFailure)]
        assert "no_such_module" in failure.error.message

    def test_another_launcher_finds_what_was_launched(
        self, instance: Instance, make_launcher: Make, order: Order
    ) -> None:
        waiting = order("waiting")
        make_launcher().launch(waiting)
        self.there(instance, waiting)
        other = make_launcher()
        assert other.check(waiting).running
        other.terminate(waiting, force=False)
        self.gone(instance, other, waiting)
        assert self.types(instance, waiting)[-1] == "STEP_FAILURE"

    def test_what_was_forgotten_is_as_if_it_had_never_been(
        self, instance: Instance, make_launcher: Make, order: Order
    ) -> None:
        quick = order("quick")
        launcher = make_launcher()
        launcher.launch(quick)
        self.gone(instance, launcher, quick)
        launcher.forget(quick)
        launcher.forget(quick)
        never = launcher.check(order("quick", retry=1))
        for each in (launcher, make_launcher()):
            assert each.check(quick) == never

    def test_an_order_survives_as_json(self, order: Order) -> None:
        from ..codec import decode_json, encode_json

        quick = order("quick")
        again = decode_json(encode_json(quick), StepOrder)
        assert again == quick
        assert again.name == quick.name
