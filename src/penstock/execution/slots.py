"""Claims slots of pools for the steps of a run: when the scheduler asks for them, and when one may have come free."""

from __future__ import annotations

from collections.abc import Callable

from ..engine.step_messages import Claimed, Command, WantedSlots, Wish
from ..engine.steps import StepScheduler
from ..errors import StorageUnavailableError
from ..plan.model import Step
from ..records.pool import WHOLE_RUN, ClaimOutcome, SlotRequest
from ..storage.notifier import Subscription
from ..storage.protocols import Storage
from .loop import Watches
from .recorder import Recorder
from .scope import RunScope

__all__ = ["LOOK", "SlotKeeper", "slot_keeper"]

LOOK = 2.0
"""Seconds after which a run that waits looks by itself whether a slot has come free."""

_AWAY = 1.0
"""Seconds until the next try while the database is away."""

_GRACE = 15.0
"""Seconds, after an outage, for which holders whose leases are over are not judged: they need the time to renew."""


def slot_keeper(scope: RunScope, recorder: Recorder) -> SlotKeeper | None:
    """What claims the slots of a run; None if none of its steps is in a pool, or nothing is stored of it."""
    storage = scope.environment.storage
    if storage is None or not any(step.pool for step in scope.plan.steps.values()):
        return None
    return SlotKeeper(scope, recorder, storage)


class SlotKeeper:
    """Claims slots, and listens for those that come free while a step waits for one.

    As a watch of a loop it attends to the storage's notifier; without a loop, `wait` does.

    Args:
        scope: The run.
        recorder: Takes its facts; ends of steps are stored before slots are claimed.
        storage: Where the claims are.
    """

    def __init__(self, scope: RunScope, recorder: Recorder, storage: Storage) -> None:
        self._run = scope.run
        self._rules = scope.environment.pools
        self._clock = scope.environment.clock
        self._recorder = recorder
        self._storage = storage
        self._all = tuple(sorted({step.pool for step in scope.plan.steps.values() if step.pool}))
        self._loop: Watches | None = None
        self._subscription: Subscription | None = None
        self._since: dict[tuple[str, int], float] = {}
        self._told: set[tuple[str, int]] = set()
        self._has_all = False  # the run holds a slot of each pool for its life
        self._waits = False  # something of it is stored as waiting
        self._stale = False  # slots may have come free since it was claimed
        self._look_at: float | None = None
        self._reached = self._clock.monotonic()
        self._judge_from = self._reached
        self._away_until = 0.0

    def pools_of(self, step: Step) -> tuple[str, ...]:
        """The pools whose slots must be claimed before a step starts."""
        if self._rules.granularity == "run":
            return self._all
        return (step.pool,) if step.pool else ()

    def begin(self, loop: Watches) -> None:
        """Let a loop wait for what comes free."""
        self._loop = loop

    def claim(self, scheduler: StepScheduler) -> list[Command]:
        """Claim what the scheduler wants; gives what follows.

        Raises:
            FencedError: The run's attempt is over.
        """
        now = self._clock.monotonic()
        if self._stale or (self._look_at is not None and now >= self._look_at):
            self._stale, self._look_at = False, None
            scheduler.claim_again()
        commands: list[Command] = []
        while (wanted := scheduler.wants_slots()) is not None:
            granted = self._claim(wanted)
            commands += scheduler.handle(Claimed(granted), self._clock.monotonic())
            if self._waits and self._subscription is None:
                self._listen()
                scheduler.claim_again()  # one may have come free before
        if self._waits and now >= self._away_until and (not scheduler.has_place or not scheduler.is_claiming):
            self._withdraw(scheduler)
        if not self._waits and self._look_at is None:
            self.close()
        return commands

    def _claim(self, wanted: WantedSlots) -> tuple[str, ...]:
        """The steps that have their slots now, in order, no more than can start."""
        keys = [wish.step for wish in wanted.wishes]
        if self._has_all:
            return tuple(keys[: wanted.places])
        if self._rules.granularity == "run":
            request = self._request(Wish(WHOLE_RUN, self._all))
            outcome = self._ask([request], None)
            self._has_all = outcome is not None and WHOLE_RUN in outcome.granted
            return tuple(keys[: wanted.places]) if self._has_all else ()
        outcome = self._ask([self._request(wish) for wish in wanted.wishes], wanted.places)
        return () if outcome is None else tuple(key for key in keys if key in outcome.granted)

    def _request(self, wish: Wish) -> SlotRequest:
        attempt = (wish.step, wish.retry)
        return SlotRequest(
            step_key=wish.step,
            pools=wish.pools,
            retry=wish.retry,
            priority=wish.priority + self._run.priority,
            since=self._since.setdefault(attempt, self._clock.now()),
            told=attempt in self._told,
        )

    def _ask(self, requests: list[SlotRequest], places: int | None) -> ClaimOutcome | None:
        """What a claim came to; None while the database is away."""
        now = self._clock.monotonic()
        if now - self._reached > _GRACE:
            self._judge_from = now + _GRACE
        try:
            self._recorder.flush()
            outcome = self._storage.slots.claim(
                self._run.run_id,
                self._run.attempt,
                requests,
                now=self._clock.now(),
                default_limit=self._rules.default_limit,
                at_most=places,
                dead_before=None if now >= self._judge_from else 0.0,
            )
        except StorageUnavailableError:
            # Nobody can claim or release meanwhile, and afterwards holders need the time to renew.
            self._judge_from = now + _GRACE
            self._look_at = self._away_until = now + _AWAY
            return None
        self._reached = now
        self._waits = bool(outcome.waiting)
        self._told |= {(each.step_key, each.retry) for each in requests if each.step_key in outcome.waiting}
        self._look_at = now + LOOK if self._waits else None
        return outcome

    def _withdraw(self, scheduler: StepScheduler) -> None:
        """No place is free to start what waits, or nothing waits any more, so that no slots are to be kept for it."""
        if self._ask([], None) is not None:
            scheduler.claim_again()

    # -- waiting ------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            self._subscription = self._storage.notifier.subscribe()
        except StorageUnavailableError:
            return  # looking from time to time does it too
        if self._loop is not None:
            self._loop.add(self)

    def wait(self, longest: float, pause: Callable[[float], None]) -> None:
        """Wait, without a loop, until slots may have come free.

        Args:
            longest: For how many seconds at most.
            pause: Waits so many seconds, where the notifier cannot be listened to.
        """
        if self._subscription is None:
            pause(longest)
        else:
            self._stale |= _tells_of_slots(self._subscription.wait(longest))

    def fileno(self) -> int:
        """The descriptor of the notifier, while this waits."""
        return -1 if self._subscription is None else self._subscription.fileno()

    def due_in(self) -> float | None:
        """Seconds until this looks by itself; None while nothing waits."""
        if self._stale:
            return 0.0
        return None if self._look_at is None else self._look_at - self._clock.monotonic()

    def attend(self) -> None:
        """Take what the notifier says; the next `claim` acts on it."""
        if self._subscription is not None:
            self._stale |= _tells_of_slots(self._subscription.wait(0.0))

    def close(self) -> None:
        """Listen no more."""
        if self._subscription is None:
            return
        if self._loop is not None:
            self._loop.remove(self)
        self._subscription.close()
        self._subscription = None


def _tells_of_slots(topics: frozenset[str]) -> bool:
    return bool(topics & {"slots", "*"})
