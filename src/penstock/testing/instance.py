"""Instances for tests, and runs that have ended without having been executed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..errors import UsageError
from ..ids import new_run_id
from ..instance.instance import Instance
from ..records.event import (
    Event,
    Fact,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunSuccess,
)
from ..records.run import FailureReason, Run, RunStatus, Tag
from ..storage.protocols import NewRun

__all__ = ["add_run", "instance_for_test"]

_HOME = "PENSTOCK_HOME"
_FAILED = RunFailure(reason=FailureReason.STEP_FAILURE, message="It was made for a test.")
_CLAIMED: Mapping[RunStatus, Sequence[Fact]] = {
    RunStatus.STARTING: (),
    RunStatus.STARTED: (RunStart(),),
    RunStatus.SUCCESS: (RunStart(), RunSuccess()),
    RunStatus.FAILURE: (RunStart(), _FAILED),
    RunStatus.CANCELING: (RunStart(), RunCanceling()),
    RunStatus.CANCELED: (RunStart(), RunCanceling(), RunCanceled()),
}
"""What happens to a run after it was claimed until it stands there."""


@contextmanager
def instance_for_test(
    overrides: Mapping[str, Any] | None = None,
    set_home: bool = True,
    temp_dir: str | Path | None = None,
    synchronous_run_coordinator: bool = False,
    *,
    clock: Clock | None = None,
) -> Iterator[Instance]:
    """An instance with a home of its own, which is gone at the end of the `with` block.

    Args:
        overrides: Settings as `penstock.yaml` has them.
        set_home: Name its home by PENSTOCK_HOME meanwhile, so that code finds it that asks for the instance.
        temp_dir: The home, which stays; a temporary folder if not given.
        synchronous_run_coordinator: Launch each run at once, in the process that asks for it, without a queue.
        clock: Tells the time; give a `penstock.testing.FakeClock` to move it by hand.

    Raises:
        SettingsError: The settings are not valid.
    """
    settings = dict(overrides or {})
    if synchronous_run_coordinator:
        if "run_coordinator" in settings:
            raise UsageError("The overrides name a run_coordinator; leave synchronous_run_coordinator out.")
        settings["run_coordinator"] = "immediate"
    before = os.environ.get(_HOME)
    with Instance.local_temp(temp_dir, settings, clock=clock) as instance:
        if set_home:
            os.environ[_HOME] = str(instance.home)
        try:
            yield instance
        finally:
            if set_home and before is None:
                os.environ.pop(_HOME, None)
            elif set_home and before is not None:
                os.environ[_HOME] = before


def add_run(
    instance: Instance,
    job_name: str,
    status: RunStatus = RunStatus.SUCCESS,
    *,
    facts: Sequence[Event | Fact] = (),
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    location: str = "(a test)",
    run_id: str | None = None,
) -> Run:
    """Add a run to an instance as if it had been executed, so that what reacts to runs can be tested.

    Args:
        instance: The instance.
        job_name: The name of its job, which need not exist.
        status: Where it stands.
        facts: What happened in it before it came there: facts, or events, which may name their steps.
        tags: Its tags.
        run_config: Its config.
        partition_key: The partition that it worked on.
        location: The code location that it is of.
        run_id: Its id; a new one if not given.

    Returns:
        The run as stored.

    Raises:
        UsageError: Nothing brings a run into this state.
    """
    if status not in (RunStatus.NOT_STARTED, RunStatus.QUEUED, *_CLAIMED):
        raise UsageError(f"Nothing brings a run into the state {status}; give one of {', '.join(_CLAIMED)}.")
    now = instance.clock.now()
    own_tags = dict(tags or {}) | ({} if partition_key is None else {Tag.PARTITION: partition_key})
    run = Run(
        run_id=run_id or new_run_id(),
        location=location,
        job=job_name,
        run_config=dict(run_config or {}),
        tags=own_tags,
        created=now,
    )
    runs = instance.storage.runs
    queued = (RunEnqueued(),) if status is RunStatus.QUEUED else ()
    runs.create([NewRun(run=run, facts=queued)])
    if status in _CLAIMED:
        (claimed,) = runs.claim([run.run_id], owner="a test", until=now, now=now)
        began, ended = _CLAIMED[status][:1], _CLAIMED[status][1:]
        happened = [
            each if isinstance(each, Event) else Event(time=now, fact=each) for each in (*began, *facts, *ended)
        ]
        instance.storage.events.append(run.run_id, claimed.attempt, happened, now=now)
    stored = runs.get(run.run_id)
    assert stored is not None
    return stored
