"""What people are told of each thing that has happened: one function a kind."""

from __future__ import annotations

from urllib.parse import quote

from msgspec.structs import replace

from ..records.alert import Alert
from ..records.automation import InstigatorKind, Tick, instigator_parts
from ..records.errors import ErrorInfo
from ..records.event import AssetCheckEvaluation, RunFailure
from ..records.lease import ProcessInfo
from ..records.one_off import OneOff, OneOffStatus
from ..records.run import Run
from ..wording import length_of_time, utc

__all__ = [
    "check_failed",
    "code_server_lost",
    "daemon_lost",
    "freshness_violated",
    "location_broken",
    "one_off_failed",
    "run_failed",
    "run_late",
    "run_stuck",
    "sample",
    "tick_failed",
]


def run_failed(run: Run, failure: RunFailure, *, event_id: int, time: float) -> Alert:
    """A run has failed."""
    return _of_run(
        run,
        Alert(
            kind="run_failure",
            occurrence=f"run_failure {event_id}",
            subject=f"run_failure {run.location}/{run.job}",
            time=time,
            title=f"Run failed: {run.job}",
            text=f"The run {run.run_id} of {run.job} in {run.location} failed. "
            f"{failure.message}{_cause(failure.error)}",
            path=_run_path(run.run_id),
        ),
    )


def run_late(run: Run, *, now: float) -> Alert:
    """A run has waited in the queue for long."""
    since = run.created if run.queued is None else run.queued
    why = "" if run.note is None else f" {run.note}"
    return _of_run(
        run,
        Alert(
            kind="run_late",
            occurrence=f"run_late {run.run_id}",
            subject=f"run_late {run.location}/{run.job}",
            time=now,
            title=f"Run late: {run.job}",
            text=f"The run {run.run_id} of {run.job} in {run.location} has waited for {length_of_time(now - since)} "
            f"and has not begun.{why}",
            path=_run_path(run.run_id),
        ),
    )


def run_stuck(run: Run, *, now: float) -> Alert:
    """A run has been at work for long."""
    since = run.created if run.launched is None else run.launched
    return _of_run(
        run,
        Alert(
            kind="run_stuck",
            occurrence=f"run_stuck {run.run_id}",
            subject=f"run_stuck {run.location}/{run.job}",
            time=now,
            title=f"Run stuck: {run.job}",
            text=f"The run {run.run_id} of {run.job} in {run.location} was launched {length_of_time(now - since)} ago "
            f"and has not ended; it is {run.status.lower()}.",
            path=_run_path(run.run_id),
        ),
    )


def tick_failed(tick: Tick) -> Alert:
    """An evaluation of a schedule or sensor has failed."""
    location, kind, name = instigator_parts(tick.instigator)
    word, folder = ("schedule", "schedules") if kind is InstigatorKind.SCHEDULE else ("sensor", "sensors")
    return Alert(
        kind="tick_failure",
        occurrence=f"tick_failure {tick.id}",
        subject=f"tick_failure {tick.instigator}",
        time=tick.started if tick.ended is None else tick.ended,
        title=f"Tick failed: {name}",
        text=f"An evaluation of the {word} {name} in {location} failed.{_cause(tick.error)}",
        path=f"/locations/{quote(location, safe='')}/{folder}/{quote(name, safe='')}",
        location=location,
    )


def one_off_failed(one_off: OneOff) -> Alert:
    """A one-off run has come to nothing: it was missed, or its run could not be made."""
    word = "missed" if one_off.status is OneOffStatus.MISSED else "failed"
    why = "" if one_off.note is None else f" {one_off.note}"
    return Alert(
        kind="tick_failure",
        occurrence=f"one_off_failed {one_off.id}",
        subject=f"one_off_failed {one_off.location}/{one_off.job}",
        time=one_off.due if one_off.ended is None else one_off.ended,
        title=f"One-off run {word}: {one_off.job}",
        text=f"The run of {one_off.job} in {one_off.location} that was asked for at {utc(one_off.due)} was not made."
        f"{why}",
        path="/automation?tab=once",
        location=one_off.location,
    )


def check_failed(check: AssetCheckEvaluation, run: Run | None, *, event_id: int, time: float) -> Alert:
    """A check of an asset has not passed."""
    partition = "" if check.partition is None else f" of the partition {check.partition}"
    why = "" if check.description is None else f" {check.description}"
    alert = Alert(
        kind="check_failed",
        occurrence=f"check_failed {event_id}",
        subject=f"check_failed {check.asset}:{check.check}",
        time=time,
        title=f"Check failed: {check.check} on {check.asset}",
        text=f"The check {check.check} on {check.asset}{partition} did not pass (severity {check.severity}).{why}",
        path=_asset_path(check.asset),
        asset=check.asset,
    )
    return alert if run is None else _of_run(run, alert)


def freshness_violated(asset: str, location: str, *, made_at: float, now: float) -> Alert:
    """An asset is older than its policy allows.

    Args:
        asset: Its key as text.
        location: Its code location.
        made_at: When it was last made or observed.
        now: The time.
    """
    return Alert(
        kind="freshness_violated",
        occurrence=f"freshness_violated {asset} {made_at!r}",
        subject=f"freshness_violated {asset}",
        time=now,
        title=f"Not fresh: {asset}",
        text=f"The asset {asset} is older than its freshness policy allows: it was last made "
        f"{length_of_time(now - made_at)} ago.",
        path=_asset_path(asset),
        asset=asset,
        location=location,
    )


def daemon_lost(process: ProcessInfo, *, now: float) -> Alert:
    """A daemon is not heard of any more and has not said that it ends."""
    return Alert(
        kind="daemon_lost",
        occurrence=f"daemon_lost {process.id}",
        subject=f"daemon_lost {process.host}",
        time=now,
        title=f"Daemon lost: {process.host}",
        text=f"The daemon with the process id {process.pid} on {process.host} has not been heard of for "
        f"{length_of_time(now - process.seen)} and did not say that it ends. Its work passes to other "
        "daemons, if there are any.",
        path="/deployment",
    )


def location_broken(name: str, error: ErrorInfo | None, *, loaded_at: float | None, time: float) -> Alert:
    """A code location cannot be loaded.

    Args:
        name: The location.
        error: Why.
        loaded_at: When it was last loaded; None if never.
        time: When the load failed.
    """
    serving = "" if loaded_at is None else " The code that was loaded before goes on being served."
    return Alert(
        kind="location_broken",
        occurrence=f"location_broken {name} {loaded_at!r}",
        subject=f"location_broken {name}",
        time=time,
        title=f"Code location broken: {name}",
        text=f"The code location {name} could not be loaded.{_cause(error)}{serving}",
        path="/deployment",
        location=name,
    )


def code_server_lost(location: str, process: ProcessInfo, *, now: float) -> Alert:
    """The code server of a location is not heard of any more, has not said that it ends, and no other has come."""
    return Alert(
        kind="location_broken",
        occurrence=f"location_broken {location} {process.id}",
        subject=f"location_broken {location}",
        time=now,
        title=f"Code location without a server: {location}",
        text=f"The code server of {location} with the process id {process.pid} on {process.host} has not been heard of "
        f"for {length_of_time(now - process.seen)} and did not say that it ends. Its schedules, sensors and queued "
        "runs wait until a code server serves it again.",
        path="/deployment",
        location=location,
    )


def sample(rule: str, *, now: float) -> Alert:
    """What is sent to try a rule out."""
    return Alert(
        kind="run_failure",
        occurrence=f"sample {now!r}",
        subject="sample",
        time=now,
        title=f"A sample of the rule {rule}",
        text="Somebody tries out whether messages of this rule arrive. Nothing has failed.",
        path="/",
    )


def _of_run(run: Run, alert: Alert) -> Alert:
    return replace(alert, location=run.location, job=run.job, run_id=run.run_id, tags=run.tags)


def _cause(error: ErrorInfo | None) -> str:
    if error is None:
        return ""
    root = error.root()
    return f" {root.cls}: {root.message}" if root.message else f" {root.cls}"


def _run_path(run_id: str) -> str:
    return f"/runs/{quote(run_id, safe='')}"


def _asset_path(asset: str) -> str:
    return f"/assets/{quote(asset)}"
