"""What the scheduler of steps is made from, what it is told, and what it tells: specs, facts, commands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

import msgspec

__all__ = [
    "Abandon",
    "Claimed",
    "Command",
    "Done",
    "Failed",
    "FeedKind",
    "Outcome",
    "OutputRef",
    "Past",
    "PastState",
    "Retry",
    "Skip",
    "Source",
    "Start",
    "StepFact",
    "StepInputSpec",
    "StepPast",
    "StepSpec",
    "Stop",
    "Succeeded",
    "WantedSlots",
    "Wish",
    "Withdrawn",
]


# -- what the scheduler is made from ----------------------------------------------------------------------------------


class FeedKind(StrEnum):
    """How an output feeds an input."""

    DIRECT = "DIRECT"  # the output's one value
    MAPPED = "MAPPED"  # a dynamic output; the step runs once per mapping key
    COLLECT = "COLLECT"  # all values of a dynamic output, or of a mapped step's output


class Source(msgspec.Struct, frozen=True):
    """An output that feeds an input."""

    step: str
    output: str = "result"
    kind: FeedKind = FeedKind.DIRECT


class StepInputSpec(msgspec.Struct, frozen=True):
    """An input with the outputs that feed it; several are a fan-in, which needs at least one of them."""

    name: str
    sources: tuple[Source, ...]


class StepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A step as the scheduler sees it. Higher `priority` goes first; `tags` matter for tag limits alone.

    With `pools` it claims a slot in each before it starts.
    """

    key: str
    inputs: tuple[StepInputSpec, ...] = ()
    priority: int = 0
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    pools: tuple[str, ...] = ()


class PastState(StrEnum):
    """How far a step had come."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    ABANDONED = "ABANDONED"
    RETRYING = "RETRYING"
    AT_WORK = "AT_WORK"


class StepPast(msgspec.Struct, frozen=True, kw_only=True):
    """How far a step had come before this scheduler was made.

    Args:
        state: Where it stood.
        outputs: What it gave, if it succeeded: (name, mapping key or None), in the order given.
        retry: The number of the attempt that is the next, or that was at work; 0 for the first.
        left: If it waits for a retry, the seconds until that is due.
        again: If it was at work, why that attempt begins again.
        run_id: The run that stored what it gave; None for the one whose past it is.
    """

    state: PastState
    outputs: tuple[tuple[str, str | None], ...] = ()
    retry: int = 0
    left: float = 0.0
    again: str | None = None
    run_id: str | None = None


Past: TypeAlias = Mapping[str, StepPast]
"""What is known of steps by their keys, mapped ones with their mapping keys."""


# -- facts in ---------------------------------------------------------------------------------------------------------


class Succeeded(msgspec.Struct, frozen=True):
    """The step ended well and gave these outputs: (name, mapping key or None), in the order given."""

    step: str
    outputs: tuple[tuple[str, str | None], ...] = ()


class Failed(msgspec.Struct, frozen=True):
    """The step failed for good."""

    step: str


class Retry(msgspec.Struct, frozen=True):
    """The step failed and is to be tried again, not before `due` (on the clock that `now` is of)."""

    step: str
    due: float


class Stop(msgspec.Struct, frozen=True):
    """The run is to end: nothing more is started; steps that run are waited for."""


class Withdrawn(msgspec.Struct, frozen=True):
    """The step was not started after all, since the run is being stopped."""

    step: str


class Claimed(msgspec.Struct, frozen=True):
    """Of the steps that `wants_slots` named, these have their slots, in order; the others have none."""

    granted: tuple[str, ...] = ()


StepFact: TypeAlias = Succeeded | Failed | Retry | Stop | Withdrawn | Claimed


# -- slots of pools ---------------------------------------------------------------------------------------------------


class Wish(msgspec.Struct, frozen=True):
    """A step that could run if it had a slot in each of these pools."""

    step: str
    pools: tuple[str, ...]
    retry: int = 0
    priority: int = 0


class WantedSlots(msgspec.Struct, frozen=True):
    """What to claim: all that wait for slots and nothing else, by rank, and for how many of them a place is free."""

    wishes: tuple[Wish, ...]
    places: int | None = None


# -- commands out -----------------------------------------------------------------------------------------------------


class OutputRef(msgspec.Struct, frozen=True):
    """One stored value: an output of a step that ran, with its mapping key if it is dynamic.

    `run_id` is the run that stored it, where that is an earlier one.
    """

    step: str
    output: str
    mapping_key: str | None = None
    run_id: str | None = None


class Start(msgspec.Struct, frozen=True):
    """Start an attempt of `step`. `spec` is its key in the plan (they differ for a mapped step, `spec[mapping_key]`).

    `inputs` holds, for each input fed by steps, the values that were really given. `retry` is 0 for the first attempt.
    `queued` is for how many seconds it was ready and waited for a place.
    `again` tells why this attempt begins once more, if an earlier worker of the run had begun it; where steps live
    beyond their worker, it may be at work still.
    """

    step: str
    spec: str
    mapping_key: str | None
    retry: int
    inputs: Mapping[str, tuple[OutputRef, ...]]
    queued: float = 0.0
    again: str | None = None


class Skip(msgspec.Struct, frozen=True):
    """Say that the step is skipped, and why."""

    step: str
    reason: str


class Abandon(msgspec.Struct, frozen=True):
    """Say that the step will not run because `because` failed or will not run either."""

    step: str
    because: str


class Outcome(StrEnum):
    """How the steps of a run came out."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    STOPPED = "STOPPED"


class Done(msgspec.Struct, frozen=True):
    """Nothing runs and nothing will."""

    outcome: Outcome
    failed: tuple[str, ...] = ()


Command: TypeAlias = Start | Skip | Abandon | Done
