"""Where a step stands, and the one table that says what may follow.

    state       fact or cause                                     next state
    ---------   -----------------------------------------------   ----------
    WAITING     all upstream outputs are at hand                  READY
    WAITING     an input has none of the outputs that feed it     SKIPPED
    WAITING     an upstream step failed, or will never run        ABANDONED
    WAITING     it is mapped and its mapping keys are known       EXPANDED    (one new step per key)
    READY       a place is free                                   RUNNING
    READY       it is in pools                                    CLAIMING
    CLAIMING    a place is free, and it was given its slots       RUNNING
    READY       an earlier worker of the run saw its end          SUCCEEDED, FAILED, RETRYING
    RUNNING     it succeeded                                      SUCCEEDED
    RUNNING     it failed                                         FAILED
    RUNNING     it failed and asks to be tried again              RETRYING
    RETRYING    its time has come                                 READY
    WAITING, READY, CLAIMING, RETRYING   the run is being stopped ABANDONED
    RUNNING     it was to start, but the run is being stopped     ABANDONED

A pair that is not in `TRANSITIONS` raises and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ..errors import IllegalTransitionError
from .step_messages import OutputRef, StepSpec

__all__ = ["TRANSITIONS", "Step", "StepState"]


class StepState(StrEnum):
    """Where a step stands."""

    WAITING = "WAITING"
    READY = "READY"
    CLAIMING = "CLAIMING"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    ABANDONED = "ABANDONED"
    EXPANDED = "EXPANDED"


_S = StepState

TRANSITIONS: Mapping[StepState, frozenset[StepState]] = {
    _S.WAITING: frozenset({_S.READY, _S.SKIPPED, _S.ABANDONED, _S.EXPANDED}),
    _S.READY: frozenset({_S.RUNNING, _S.CLAIMING, _S.ABANDONED, _S.SUCCEEDED, _S.FAILED, _S.RETRYING}),
    _S.CLAIMING: frozenset({_S.RUNNING, _S.ABANDONED}),
    _S.RUNNING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.RETRYING, _S.ABANDONED}),
    _S.RETRYING: frozenset({_S.READY, _S.ABANDONED}),
}
"""state -> the states that may follow it. States without an entry are final."""


class Step:
    """One step, or one instance of a mapped step, and what it waits for."""

    __slots__ = (
        "again",
        "dependents",
        "given",
        "history",
        "inputs",
        "key",
        "mapping_key",
        "ready",
        "retry",
        "spec",
        "state",
        "stored_by",
        "waits",
    )

    def __init__(self, spec: StepSpec, key: str, mapping_key: str | None) -> None:
        self.spec = spec
        self.key = key
        self.mapping_key = mapping_key
        self.state = StepState.WAITING
        self.history: list[StepState] = [StepState.WAITING]
        self.retry = 0
        self.again: str | None = None
        self.stored_by: str | None = None
        self.ready = 0.0
        self.waits = 0
        self.inputs: dict[str, tuple[OutputRef, ...]] = {}
        self.dependents: list[Step] = []
        self.given: tuple[tuple[str, str | None], ...] = ()

    def move(self, to: StepState, cause: object) -> None:
        """Go into another state; raises `IllegalTransitionError` where the table does not have that."""
        if to not in TRANSITIONS.get(self.state, ()):
            raise IllegalTransitionError(f"step {self.key}", self.state, cause, self.history)
        self.state = to
        self.history.append(to)
