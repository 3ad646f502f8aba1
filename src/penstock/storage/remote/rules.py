"""Who may call what: for each method of each part of the storage, what the token of a run or of an evaluation allows.

A guard is given the call's arguments and gives them back, narrowed where need be, or refuses. What is not in the table
is refused, and a test asks for a line for each method that there is.

* A run writes about itself alone: its own events under its own attempt, its own lease, tags and facts.
* A run reads the rows of its own location's runs, the events of itself and of the runs that it repeats, and what is
  known of assets.
* An evaluation reads runs, events and assets of the whole instance, since a sensor may watch any of them, and the ticks
  of its own location.
* Both may add and remove dynamic partitions and report facts about assets, as user code does. Neither may wipe an
  asset, launch or delete a run, switch a schedule, hold a lease of a daemon, or see or change what is known of code
  locations, or accounts and their tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from ...records.event import AssetWiped
from ...records.run import Run
from ..protocols import Storage
from ..run_log import lineage
from .token import EvaluationScope, RunScope

__all__ = ["LONGEST_LEASE", "MOST_ROWS", "RULES", "Answered", "Asking", "Guard", "NotAllowedError", "Rule"]

MOST_ROWS = 20_000
"""The most rows that one call with a token may ask for."""

LONGEST_LEASE = 60.0
"""Seconds for which a run may prolong its own lease at once."""


class NotAllowedError(Exception):
    """The token does not allow this call; the text is the reason."""


class Answered(msgspec.Struct, frozen=True):
    """What a guard gives that has found the answer itself."""

    value: Any


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks.

    Args:
        storage: The whole storage, for guards that must look.
        scope: What the token is for.
        run: The run of a run's token, as it is now; None for an evaluation, and where the storage itself checks it.
        now: The time.
    """

    storage: Storage
    scope: RunScope | EvaluationScope
    run: Run | None
    now: float


Guard: TypeAlias = Callable[[Asking, Any], Any]
"""Takes the arguments of a call; gives them back, maybe narrowed, or `Answered`; raises `NotAllowedError`."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one method.

    Args:
        run: The guard for the token of a run, or why it is refused to all of them.
        evaluation: The same for the token of an evaluation.
        reads: It changes nothing, so it may be made again when an answer was lost.
        self_guarded: The storage itself checks in the same transaction that the attempt is current.
    """

    run: Guard | str
    evaluation: Guard | str
    reads: bool = False
    self_guarded: bool = False


# -- guards -----------------------------------------------------------------------------------------------------------


def _free(_asking: Asking, request: Any) -> Any:
    return request


def _own_run(asking: Asking, request: Any) -> Any:
    scope = _run_scope(asking)
    if request.run_id != scope.run_id:
        raise NotAllowedError(f"the token is for the run {scope.run_id} alone")
    return request


def _own_attempt(asking: Asking, request: Any) -> Any:
    scope = _run_scope(asking)
    if request.attempt != scope.attempt:
        raise NotAllowedError(f"the token is for attempt {scope.attempt} of the run alone")
    return _own_run(asking, request)


def _own_events(asking: Asking, request: Any) -> Any:
    """A batch that could never be stored would be sent again and again, so it is refused here."""
    for event in request.events:
        if not math.isfinite(event.time) or not 0 <= (event.seq or 0) < 2**63:
            raise NotAllowedError("an event has a finite time, and a number of 63 bits")
    return _own_attempt(asking, request)


def _own_lease(asking: Asking, request: Any) -> Any:
    _own_attempt(asking, request)
    return replace(request, until=min(request.until, asking.now + LONGEST_LEASE))


def _own_claim(asking: Asking, request: Any) -> Any:
    """A run judges nobody dead by a clock that is ahead."""
    dead = request.now if request.dead_before is None else request.dead_before
    now = min(request.now, asking.now)
    return _own_attempt(asking, replace(request, now=now, dead_before=min(dead, asking.now)))


def _renew_own(asking: Asking, request: Any) -> Any:
    """Prolong this attempt alone, if it is held under that name: other runs may be held under it too."""
    scope, run = _run_scope(asking), asking.run
    if run is None or run.owner != request.owner:
        return Answered([])
    until = min(request.until, asking.now + LONGEST_LEASE)
    held = asking.storage.runs.take_over(scope.run_id, attempt=scope.attempt, owner=request.owner, until=until)
    return Answered([(scope.run_id, scope.attempt)] if held else [])


def _related_run(asking: Asking, request: Any) -> Any:
    if request.run_id not in _related(asking):
        raise NotAllowedError("a run reads the events of itself and of the runs that it repeats")
    return request


def _related_runs(asking: Asking, request: Any) -> Any:
    if request.run_ids is None or not set(request.run_ids) <= _related(asking):
        raise NotAllowedError("a run reads the plans of itself and of the runs that it repeats; name them")
    return request


def _run_of_location(asking: Asking, request: Any) -> Any:
    run = asking.storage.runs.get(request.run_id)
    if run is not None and run.location != asking.scope.location:
        raise NotAllowedError(f"a run reads runs of its own code location, {asking.scope.location!r}")
    return Answered(run)


def _runs_of_location(asking: Asking, request: Any) -> Any:
    location = asking.scope.location
    if request.where.location not in (None, location):
        raise NotAllowedError(f"a run reads runs of its own code location, {location!r}")
    return replace(request, where=replace(request.where, location=location))


def _no_wiping(_asking: Asking, request: Any) -> Any:
    if any(isinstance(fact, AssetWiped) for fact in request.facts):
        raise NotAllowedError("what is known of an asset is wiped by people, on its page or by command")
    return request


def _own_instigator(asking: Asking, request: Any) -> Any:
    if not request.instigator.startswith(f"{asking.scope.location}/"):
        raise NotAllowedError(f"an evaluation reads ticks of its own code location, {asking.scope.location!r}")
    return request


def _run_scope(asking: Asking) -> RunScope:
    if not isinstance(asking.scope, RunScope):
        raise NotAllowedError("only a run's own process may do that")
    return asking.scope


def _related(asking: Asking) -> set[str | None]:
    run = asking.run
    before = () if run is None else lineage(asking.storage.runs, run)
    return {_run_scope(asking).run_id, *(each.run_id for each in before)}


# -- the table --------------------------------------------------------------------------------------------------------

_LAUNCH = "runs are made by the web server, the daemon and commands"
_DAEMON = "that is the daemon's own"
_PEOPLE = "that is for people, on the pages or by command"
_RUNS_ONLY = "only a run's own process may do that"
_LOCATIONS = "what is known of code locations, their addresses and named values is for Penstock's own servers"
_WATCHING = "a run does not watch the whole instance; a sensor does"
_ACCOUNTS = "accounts and their tokens are for people, by command, and for the web server"
_PROCESSES = "the processes of the deployment say that themselves"

RULES: Mapping[str, Rule] = {
    "runs.create": Rule(run=_LAUNCH, evaluation=_LAUNCH),
    "runs.get": Rule(run=_run_of_location, evaluation=_free, reads=True),
    "runs.page": Rule(run=_runs_of_location, evaluation=_free, reads=True),
    "runs.search": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "runs.tally": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "runs.latest_of_jobs": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "runs.count": Rule(run=_runs_of_location, evaluation=_free, reads=True),
    "runs.queued": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "runs.queued_of_share": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "runs.active": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "runs.claim": Rule(run=_DAEMON, evaluation=_DAEMON),
    "runs.take_over": Rule(run=_own_lease, evaluation=_RUNS_ONLY),
    "runs.renew": Rule(run=_renew_own, evaluation=_RUNS_ONLY),
    "runs.expired": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "runs.record": Rule(run=_own_attempt, evaluation=_RUNS_ONLY),
    "runs.explain_waiting": Rule(run=_DAEMON, evaluation=_DAEMON),
    "runs.add_tags": Rule(run=_own_run, evaluation=_RUNS_ONLY),
    "runs.tag_keys": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "runs.tag_values": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "runs.delete": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "runs.snapshot": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "events.append": Rule(run=_own_events, evaluation=_RUNS_ONLY, self_guarded=True),
    "events.of_run": Rule(run=_related_run, evaluation=_free, reads=True),
    "events.of_types": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "events.get": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "events.last_id": Rule(run=_free, evaluation=_free, reads=True),
    "events.failures": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "events.steps_of": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "events.step_stats": Rule(run=_related_run, evaluation=_free, reads=True),
    "assets.states": Rule(run=_free, evaluation=_free, reads=True),
    "assets.history": Rule(run=_free, evaluation=_free, reads=True),
    "assets.latest_materializations": Rule(run=_free, evaluation=_free, reads=True),
    "assets.partition_states": Rule(run=_free, evaluation=_free, reads=True),
    "assets.partition_statuses": Rule(run=_free, evaluation=_free, reads=True),
    "assets.planned": Rule(run=_related_runs, evaluation=_free, reads=True),
    "assets.data_versions": Rule(run=_free, evaluation=_free, reads=True),
    "assets.partition_data_versions": Rule(run=_free, evaluation=_free, reads=True),
    "assets.check_states": Rule(run=_free, evaluation=_free, reads=True),
    "assets.check_history": Rule(run=_free, evaluation=_free, reads=True),
    "assets.freshness": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "assets.turn_freshness": Rule(run=_DAEMON, evaluation=_DAEMON),
    "assets.report": Rule(run=_no_wiping, evaluation=_no_wiping),
    "assets.dynamic_partitions": Rule(run=_free, evaluation=_free, reads=True),
    "assets.add_dynamic_partitions": Rule(run=_free, evaluation=_free),
    "assets.delete_dynamic_partitions": Rule(run=_free, evaluation=_free),
    "instigators.states": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "instigators.get": Rule(run=_DAEMON, evaluation=_own_instigator, reads=True),
    "instigators.switch": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "instigators.set_cursor": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "instigators.override": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "instigators.retire": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "instigators.restore": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "instigators.plan": Rule(run=_DAEMON, evaluation=_DAEMON),
    "instigators.begin_tick": Rule(run=_DAEMON, evaluation=_DAEMON),
    "instigators.complete_tick": Rule(run=_DAEMON, evaluation=_DAEMON),
    "instigators.evaluations": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "instigators.ticks": Rule(run=_DAEMON, evaluation=_own_instigator, reads=True),
    "instigators.latest_ticks": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "one_offs.plan": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "one_offs.get": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "one_offs.page": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "one_offs.waiting": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "one_offs.cancel": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "one_offs.settle": Rule(run=_DAEMON, evaluation=_DAEMON),
    "leases.acquire": Rule(run=_DAEMON, evaluation=_DAEMON),
    "leases.renew": Rule(run=_DAEMON, evaluation=_DAEMON),
    "leases.release": Rule(run=_DAEMON, evaluation=_DAEMON),
    "leases.all": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "leases.beat": Rule(run=_PROCESSES, evaluation=_PROCESSES),
    "leases.gone": Rule(run=_PROCESSES, evaluation=_PROCESSES),
    "leases.processes": Rule(run=_PROCESSES, evaluation=_PROCESSES, reads=True),
    "locations.put": Rule(run=_LOCATIONS, evaluation=_LOCATIONS),
    "locations.get": Rule(run=_LOCATIONS, evaluation=_LOCATIONS, reads=True),
    "locations.digests": Rule(run=_LOCATIONS, evaluation=_LOCATIONS, reads=True),
    "locations.forget": Rule(run=_LOCATIONS, evaluation=_LOCATIONS),
    "locations.get_value": Rule(run=_LOCATIONS, evaluation=_LOCATIONS, reads=True),
    "locations.set_value": Rule(run=_LOCATIONS, evaluation=_LOCATIONS),
    "locations.settle_value": Rule(run=_LOCATIONS, evaluation=_LOCATIONS),
    "slots.limits": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "slots.set_limit": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "slots.delete_limit": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "slots.claim": Rule(run=_own_claim, evaluation=_RUNS_ONLY, self_guarded=True),
    "slots.free": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "slots.pools": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.add": Rule(run=_LAUNCH, evaluation=_LAUNCH),
    "backfills.get": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.plan": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.log": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "backfills.page": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.search": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.open": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.counts": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.parts": Rule(run=_WATCHING, evaluation=_free, reads=True),
    "backfills.made": Rule(run=_DAEMON, evaluation=_DAEMON, reads=True),
    "backfills.change": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "backfills.advance": Rule(run=_DAEMON, evaluation=_DAEMON),
    "backfills.load": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "backfills.delete": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "accounts.add": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "accounts.all": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS, reads=True),
    "accounts.set_role": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "accounts.unset_role": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "accounts.set_disabled": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "accounts.remove": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "accounts.add_token": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "accounts.tokens": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS, reads=True),
    "accounts.revoke_token": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "accounts.find": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS, reads=True),
    "accounts.used": Rule(run=_ACCOUNTS, evaluation=_ACCOUNTS),
    "acts.page": Rule(run=_PEOPLE, evaluation=_PEOPLE, reads=True),
    "acts.add": Rule(run=_PEOPLE, evaluation=_PEOPLE),
    "notifier.publish": Rule(
        run="whoever changes the storage wakes its listeners", evaluation="an evaluation wakes nobody"
    ),
}
"""The rule of each call, by its name."""
