"""A storage behind an address: each method of the Protocols is one call over HTTP.

Calls that read are made again for a while when the server is away, as a database's own driver waits for a lock. Of the
others, those whose callers try again by themselves fail at once, and the rest are repeated only when the server has
surely heard nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from ...clock import SYSTEM_CLOCK
from ...codec import decode_msgpack, encode_msgpack
from ...errors import FencedError, InternalError, PenstockError, StorageError, StorageUnavailableError, UsageError
from ...records.event import EngineNote, Event, Fact
from ...records.wire import StorageAccess
from ..encoding import encode_event
from ..protocols import (
    AccountStorage,
    ActStorage,
    AssetStorage,
    BackfillStorage,
    EventStorage,
    InstigatorStorage,
    LeaseStorage,
    LocationStorage,
    NewRun,
    OneOffStorage,
    RunStorage,
    SlotStorage,
)
from .calls import LARGEST_BODY, PARTS, Call, Refusal, call_named
from .connection import Connections, Reply, UnansweredError, UnsentError
from .rules import RULES
from .subscription import RemoteSubscription

__all__ = ["RemoteStorage", "open_storage"]

_IMPATIENT = frozenset({"events.append", "runs.renew", "runs.take_over", "slots.claim"})
"""Calls whose callers try again by themselves, and have other things to do meanwhile."""

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


def open_storage(access: StorageAccess) -> RemoteStorage:
    """The storage behind this address, opened with this token. Nothing is connected before the first call."""
    return RemoteStorage(access)


class RemoteStorage:
    """`Storage` behind an address; may be used from any thread, and goes on in a forked child.

    Besides what each Protocol says, every method raises:
        StorageUnavailableError: The server or its database is away.
        FencedError: The token is good no more: the attempt has passed to another or ended.
        UsageError: The token does not allow this call; the text names it and the reason.

    Args:
        access: The address and the token.
        patience: For how many seconds a call is tried again while the server is away.
        pause: Waits so many seconds; a test gives its own.
    """

    def __init__(
        self, access: StorageAccess, *, patience: float = 30.0, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._address = access.address
        self._token = access.token
        self._patience = patience
        self._pause = pause
        self._connections = Connections([access.address, *([access.fallback] if access.fallback else [])])
        self._runs: RunStorage = _part("runs", self._call)
        self._events: EventStorage = _part("events", self._call)
        self._assets: AssetStorage = _part("assets", self._call)
        self._instigators: InstigatorStorage = _part("instigators", self._call)
        self._one_offs: OneOffStorage = _part("one_offs", self._call)
        self._leases: LeaseStorage = _part("leases", self._call)
        self._locations: LocationStorage = _part("locations", self._call)
        self._slots: SlotStorage = _part("slots", self._call)
        self._backfills: BackfillStorage = _part("backfills", self._call)
        self._accounts: AccountStorage = _part("accounts", self._call)
        self._acts: ActStorage = _part("acts", self._call)
        self._notifier = RemoteNotifier(self)

    @property
    def runs(self) -> RunStorage:
        """Runs and their states."""
        return self._runs

    @property
    def events(self) -> EventStorage:
        """The event log."""
        return self._events

    @property
    def assets(self) -> AssetStorage:
        """What is known of assets."""
        return self._assets

    @property
    def instigators(self) -> InstigatorStorage:
        """Schedules and sensors."""
        return self._instigators

    @property
    def one_offs(self) -> OneOffStorage:
        """One-off runs."""
        return self._one_offs

    @property
    def leases(self) -> LeaseStorage:
        """Leases and processes."""
        return self._leases

    @property
    def locations(self) -> LocationStorage:
        """Code locations and named values."""
        return self._locations

    @property
    def slots(self) -> SlotStorage:
        """Slots of concurrency pools."""
        return self._slots

    @property
    def backfills(self) -> BackfillStorage:
        """Backfills."""
        return self._backfills

    @property
    def accounts(self) -> AccountStorage:
        """Accounts and their API tokens."""
        return self._accounts

    @property
    def acts(self) -> ActStorage:
        """What people did."""
        return self._acts

    @property
    def notifier(self) -> RemoteNotifier:
        """Wakes whoever waits."""
        return self._notifier

    def migrate(self) -> None:
        """Nothing: whoever serves the storage has brought it up to date."""

    def describe(self) -> dict[str, str]:
        """That it is behind an address, and behind which."""
        return {"kind": "gateway", "place": self._address}

    def close(self) -> None:
        """Let go of every connection of this process."""
        self._connections.close()

    def publish(self, topics: Iterable[str]) -> None:
        """Wake every listener. Raises what every method raises."""
        self._call("notifier.publish", {"topics": list(topics)})

    def subscribe(self) -> RemoteSubscription:
        """Listen to all topics that the token allows, from now on. Raises `StorageError`, `FencedError`."""
        return RemoteSubscription(self._connections, self._headers, self._refused)

    # -- one call -----------------------------------------------------------------------------------------------------

    def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        call = call_named(name)
        if call is None:
            raise InternalError(f"There is no call {name!r} of a storage.")
        body = _encoded(call, arguments)
        if len(body) > LARGEST_BODY and name == "events.append":
            return self._append_in_parts(arguments)
        reply = self._reply(name, body)
        if reply.status != 200:
            raise self._refused(name, reply.status, reply.body)
        if reply.token is not None:
            self._token = reply.token
        try:
            return decode_msgpack(reply.body, call.answer)
        except msgspec.MsgspecError as error:
            raise InternalError(
                f"{self._address} answered {name} with something else than this version knows ({error}). Let both run "
                "neighbouring versions of Penstock."
            ) from error

    def _reply(self, name: str, body: bytes) -> Reply:
        deadline = SYSTEM_CLOCK.monotonic() + (0.0 if name in _IMPATIENT else self._patience)
        path, reads, pause = f"/storage/{name.replace('.', '/')}", RULES[name].reads, _FIRST_PAUSE
        while True:
            try:
                return self._connections.post(path, body, self._headers())
            except (UnsentError, UnansweredError) as error:
                may_repeat = reads or isinstance(error, UnsentError)
                if not may_repeat or SYSTEM_CLOCK.monotonic() + pause > deadline:
                    raise StorageUnavailableError(
                        f"The storage at {self._address} did not answer {name} ({error}). A code server that died is "
                        "started again by its host; see on the deployment page whether it is running."
                    ) from error
            self._pause(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _append_in_parts(self, arguments: dict[str, Any]) -> Any:
        """Numbered events may be sent in any number of batches, as long as it is in their order."""
        events = list(arguments["events"])
        if len(events) > 1:
            half = len(events) // 2
            self._call("events.append", {**arguments, "events": events[:half]})
            return self._call("events.append", {**arguments, "events": events[half:]})
        note = f"A {events[0].type} event could not be stored: it is larger than {LARGEST_BODY:,} bytes."
        smaller = msgspec.structs.replace(events[0], fact=EngineNote(message=note))
        return self._call("events.append", {**arguments, "events": [smaller]})

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/msgpack", "Authorization": f"Bearer {self._token}"}

    def _refused(self, name: str, status: int, body: bytes) -> PenstockError:
        try:
            reason = decode_msgpack(body, Refusal).error
        except msgspec.MsgspecError:
            reason = body[:200].decode(errors="replace")
        said = f"The storage at {self._address} answered {name} with {status}: {reason}"
        match status:
            case 401 | 409:
                return FencedError(said)
            case 403:
                return UsageError(
                    f"{said} User code reaches the storage with the token of its run or evaluation alone, since "
                    "run_workers.storage is `gateway`."
                )
            case 413 | 422:
                return StorageError(said)
            case _ if status >= 502:
                return StorageUnavailableError(said)
        return InternalError(said)


class RemoteNotifier:
    """`Notifier` of a storage behind an address. What changes the storage is published where the storage is."""

    def __init__(self, storage: RemoteStorage) -> None:
        self._storage = storage

    def publish(self, topics: Iterable[str]) -> None:
        """Tell every listener, if the token allows that; what is published is a hint, so nothing fails the caller."""
        named = list(topics)
        if named:
            try:
                self._storage.publish(named)
            except PenstockError:
                return  # listeners learn of changes by other means too

    def subscribe(self) -> RemoteSubscription:
        """Listen from now on."""
        return self._storage.subscribe()


# -- Protocols as calls -----------------------------------------------------------------------------------------------


def _part(part: str, call: Callable[[str, dict[str, Any]], Any]) -> Any:
    """An object with the methods of a part's Protocol, each of which makes the call of its name."""
    protocol = PARTS[part]
    names = [name for name in vars(protocol) if call_named(f"{part}.{name}")]
    return type(f"Remote{protocol.__name__}", (), {name: _method(f"{part}.{name}", call) for name in names})()


def _method(name: str, call: Callable[[str, dict[str, Any]], Any]) -> Callable[..., Any]:
    declared = call_named(name)
    assert declared is not None
    parameters = declared.parameters

    def method(_self: object, *args: Any, **kwargs: Any) -> Any:
        if len(args) > len(parameters):
            raise TypeError(f"{name} takes {len(parameters)} arguments, not {len(args)}.")
        return call(name, {**dict(zip(parameters, args, strict=False)), **kwargs})

    return method


def _encoded(call: Call, arguments: dict[str, Any]) -> bytes:
    request = call.request(**{name: _sendable(value) for name, value in arguments.items()})
    try:
        return encode_msgpack(request)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # something of user code's has no stored form
    request = call.request(**{name: _storable(_sendable(value)) for name, value in arguments.items()})
    try:
        return encode_msgpack(request)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StorageError(f"{call.name} was given a value that cannot be stored: {error}.") from error


def _sendable(value: Any) -> Any:
    """What is iterated over once, as a list."""
    return value if isinstance(value, Sequence | dict | msgspec.Struct) or not isinstance(value, Iterable) else [*value]


def _storable(value: Any) -> Any:
    """The value with every event and fact in it as it can be stored."""
    match value:
        case Event():
            return encode_event(value)[0]
        case NewRun():
            return msgspec.structs.replace(value, facts=_storable(value.facts))
        case list() | tuple():
            return [_storable(each) for each in value]
        case _ if isinstance(value, Fact):
            return encode_event(Event(time=0.0, fact=value))[0].fact
    return value
