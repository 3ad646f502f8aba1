"""Compares what is known of assets, partitions and checks with what the event log comes to.

The log is told once more to an empty storage of its own, and then both are asked the same. Ids of events are given
without gaps, so a gap says that a run was deleted with its events, or that they were not kept. What such a run had
announced is not told again: then what was made is compared, and not what was announced.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from ...records.asset import AssetState, PartitionLetter, PartitionState, PartitionStatuses
from ...storage.archive import Archived
from ...storage.asset_facts import ASSET_EVENTS
from ...storage.protocols import Storage
from ...storage.run_log import has_log
from ...storage.sqlite.storage import SqliteStorage
from .difference import Difference, differing

__all__ = ["verify_assets"]

_PAGE = 2000
_ROUNDS = 5
_HISTORY = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION", "ASSET_CHECK_EVALUATION")
_MADE = ("materialized_event", "materialized_at", "materialized_run", "observed_event", "observed_at")
_VERSION = ("event", "time", "run_id", "version", "observed", "code_version", "inputs")


def verify_assets(storage: Storage, *, told: Callable[[int], None] = lambda _count: None) -> list[Difference]:
    """Every difference, by asset. While others write, what differs is looked at again until it is as of one moment.

    Args:
        storage: One that is `Archived`; of another, nothing is compared.
        told: Told now and then how many events have been read.
    """
    if not isinstance(storage, Archived):
        return []
    with tempfile.TemporaryDirectory(prefix="penstock-verify-") as folder:
        scratch = SqliteStorage(Path(folder) / "log.db")
        try:
            scratch.migrate()
            return _compare(storage, scratch, told)
        finally:
            scratch.close()


def _compare(storage: Storage, scratch: SqliteStorage, told: Callable[[int], None]) -> list[Difference]:
    assert isinstance(storage, Archived)
    assets: set[str] = set()
    last = read = logged = 0
    lasting: list[Difference] | None = None
    for _ in range(_ROUNDS):
        while page := storage.archive.log(after=last, limit=_PAGE):
            scratch.archive.load_events(page)
            assets |= {each.event.fact.asset for each in page if each.event.type in ASSET_EVENTS}  # type: ignore[union-attr]
            last = page[-1].id
            read += len(page)
            logged += sum(not each.kept for each in page)
            told(read)
        given = storage.events.last_id()  # also of events that are gone
        found = list(_differences(storage, scratch, assets, is_whole=logged == given))
        lasting = found if lasting is None else [each for each in lasting if each in found]
        if not lasting or given <= last:
            break
    return lasting or []


def _differences(storage: Storage, scratch: Storage, assets: set[str], *, is_whole: bool) -> Iterator[Difference]:
    @cache
    def is_told(run_id: str) -> bool:
        run = storage.runs.get(run_id)
        return run is not None and has_log(storage.events, run)

    stored, derived = storage.assets.states(), scratch.assets.states()
    for asset in sorted(assets | stored.keys() | derived.keys()):
        yield from _asset(asset, stored.get(asset), derived.get(asset), is_told, is_whole=is_whole)
        yield from _partitions(storage, scratch, asset, is_whole=is_whole)
        yield from _history(storage, scratch, asset)
    names = sorted(assets | stored.keys())
    yield from _checks(storage, scratch, names, is_whole=is_whole)
    versions, expected = storage.assets.data_versions(names), scratch.assets.data_versions(names)
    for asset in sorted(versions.keys() | expected.keys()):
        yield from _either("data version", asset, versions.get(asset), expected.get(asset), _VERSION)
    open_now, open_then = set(storage.assets.planned()), set(scratch.assets.planned())
    for plan in sorted(open_now ^ open_then, key=str):
        text = "is" if plan in open_now else "is not"
        where = plan.asset if plan.partition is None else f"{plan.asset} {plan.partition}"
        yield Difference(kind="plan", where=where, what=f"run {plan.run_id} {text} about to make it as stored")


def _asset(
    asset: str,
    stored: AssetState | None,
    derived: AssetState | None,
    is_told: Callable[[str], bool],
    *,
    is_whole: bool,
) -> Iterator[Difference]:
    now, then = stored or AssetState(asset=asset), derived or AssetState(asset=asset)
    yield from differing("asset", asset, now, then, _MADE)
    if is_whole and now.planned_at != then.planned_at:  # of several that were planned at once, each is the latest
        yield from differing("asset", asset, now, then, ("planned_run", "planned_at"))
    if now.failed_run is None or is_told(now.failed_run):
        yield from differing("asset", asset, now, then, ("failed_run", "failed_at"))


def _partitions(storage: Storage, scratch: Storage, asset: str, *, is_whole: bool) -> Iterator[Difference]:
    stored, derived = storage.assets.partition_states(asset), scratch.assets.partition_states(asset)
    if not is_whole:
        stored, derived = _made(stored), _made(derived)
    fields = ("status", "run_id", "event", "materialized_at") if is_whole else ("event", "materialized_at")
    yield from _letters(storage, asset, stored)
    keys = sorted(stored.keys() | derived.keys())
    for key in keys:
        yield from _either("partition", f"{asset} {key}", stored.get(key), derived.get(key), fields)
    for start in range(0, len(keys), _PAGE):
        some = keys[start : start + _PAGE]
        versions = storage.assets.partition_data_versions(asset, some)
        expected = scratch.assets.partition_data_versions(asset, some)
        for key in some:
            yield from _either("data version", f"{asset} {key}", versions.get(key), expected.get(key), _VERSION)


def _letters(storage: Storage, asset: str, states: dict[str, PartitionState]) -> Iterator[Difference]:
    """The statuses in short are those of the rows."""
    statuses = storage.assets.partition_statuses({asset: 0}).get(asset, PartitionStatuses())
    present = statuses.letters.replace(PartitionLetter.MISSING, "")
    if len(present) != len(statuses.keys):
        what = f"{len(present)} partitions have a letter, and {len(statuses.keys)} have a row"
        yield Difference(kind="partition", where=asset, what=what)
        return
    for key, letter in zip(statuses.keys, present, strict=True):
        if key in states and letter != states[key].letter:
            what = f"its letter is {letter}, and its row comes to {states[key].letter}"
            yield Difference(kind="partition", where=f"{asset} {key}", what=what)


def _made(states: dict[str, PartitionState]) -> dict[str, PartitionState]:
    return {key: state for key, state in states.items() if state.event is not None}


def _checks(storage: Storage, scratch: Storage, assets: list[str], *, is_whole: bool) -> Iterator[Difference]:
    stored, derived = storage.assets.check_states(assets), scratch.assets.check_states(assets)
    for key in sorted(stored.keys() | derived.keys()):
        now, then = stored.get(key), derived.get(key)
        if is_whole or (now is not None and then is not None and now.run_id == then.run_id):
            yield from _either("check", key, now, then, ("status", "run_id", "event", "evaluation"))


def _history(storage: Storage, scratch: Storage, asset: str) -> Iterator[Difference]:
    after = 0
    while True:
        pages = [
            {each.id for each in one.assets.history(asset, types=_HISTORY, after=after, ascending=True, limit=_PAGE)}
            for one in (storage, scratch)
        ]
        stored, derived = pages
        for number in sorted(derived - stored):
            yield Difference(kind="history", where=asset, what=f"the event {number} is not in its history")
        for number in sorted(stored - derived):
            yield Difference(kind="history", where=asset, what=f"the event {number} is in its history alone")
        if stored != derived or len(stored) < _PAGE:
            return
        after = max(stored)


def _either(kind: str, where: str, now: object, then: object, fields: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(now, msgspec.Struct) and isinstance(then, msgspec.Struct):
        yield from differing(kind, where, now, then, fields)
    elif now is not None:
        yield Difference(kind=kind, where=where, what="it has a row, and the log does not tell of it")
    elif then is not None:
        yield Difference(kind=kind, where=where, what="the log tells of it, and it has no row")
