"""What the server answers to honest and to hostile callers: nobody does more than the token says, nothing breaks it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.codec import decode_msgpack, encode_msgpack
from penstock.errors import StorageError, StorageUnavailableError
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetWiped,
    Event,
    LogLine,
    RunEnqueued,
    RunStart,
    RunSuccess,
    StepFailure,
)
from penstock.records.pool import SlotRequest
from penstock.records.run import Run, RunStatus
from penstock.storage.protocols import RunFilter, Storage
from penstock.storage.remote.calls import call_named
from penstock.storage.remote.rules import LONGEST_LEASE, MOST_ROWS, RULES
from penstock.storage.remote.server import Dispatcher, RefusedError
from penstock.storage.remote.token import EvaluationScope, RunScope, Scope
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import NOW, events_from, given_run, queued_run, started_run

LINE = LogLine(level="INFO", message="x")
TOO_MANY_BYTES = b"\x91" * 100_000  # an array in an array in an array


class World:
    """A server on a storage, with a run `own` whose token is at hand."""

    def __init__(self) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock(NOW + 5)
        self.server = Dispatcher(self.storage, self.clock)
        self.own = started_run(self.storage)
        self.scope = self.scope_of(self.own)

    def scope_of(self, run: Run) -> RunScope:
        return self.server.tokens.scope_of_run(run, now=self.clock.now())

    def call(self, name: str, scope: Scope | None = None, /, **arguments: Any) -> Any:
        call = call_named(name)
        assert call is not None
        answer = self.server.answer(scope or self.scope, name, encode_msgpack(arguments))
        return decode_msgpack(answer.body, call.answer)

    def status(self, name: str, scope: Scope | None = None, /, **arguments: Any) -> int:
        """The status of the refusal, which is one."""
        with pytest.raises(RefusedError) as refused:
            self.call(name, scope, **arguments)
        return refused.value.status

    def append(self, *events: Event, run: Run | None = None, attempt: int = 1, scope: Scope | None = None) -> Any:
        run_id = (run or self.own).run_id
        return self.call("events.append", scope, run_id=run_id, attempt=attempt, events=events, now=NOW)

    def append_status(self, *events: Event, **fields: Any) -> int:
        with pytest.raises(RefusedError) as refused:
            self.append(*events, **fields)
        return refused.value.status

    def stored(self, run: Run) -> list[str]:
        return [each.event.type for each in self.storage.events.of_run(run.run_id)]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.storage.close()


# -- what a run may do ------------------------------------------------------------------------------------------------


def test_a_run_writes_its_own_events(world: World) -> None:
    assert world.append(*events_from(2, [LINE])) == world.storage.events.last_id()
    assert world.stored(world.own)[-1] == "LOG"


def test_a_run_writes_no_events_of_others(world: World) -> None:
    other = started_run(world.storage)
    before = world.stored(other)
    assert world.append_status(*events_from(2, [LINE]), run=other) == 403
    assert world.append_status(*events_from(2, [LINE]), attempt=2) == 403
    assert world.status("runs.record", run_id=other.run_id, facts=[RunSuccess()], now=NOW, attempt=1) == 403
    assert world.status("runs.record", run_id=world.own.run_id, facts=[RunSuccess()], now=NOW) == 403  # any attempt
    assert world.status("runs.add_tags", run_id=other.run_id, tags={"a": "b"}) == 403
    assert world.status("runs.take_over", run_id=other.run_id, attempt=1, owner="worker-1", until=NOW) == 403
    assert world.stored(other) == before
    assert world.storage.runs.get(other.run_id) == other


def test_after_the_end_the_last_batch_may_come_again_and_nothing_else(world: World) -> None:
    last = events_from(2, [LINE, RunSuccess()])
    assert world.append(*last) == world.append(*last)
    assert world.append_status(*events_from(4, [LINE])) == 409
    for name, arguments in (
        ("runs.get", {"run_id": world.own.run_id}),
        ("events.of_run", {"run_id": world.own.run_id}),
        ("assets.states", {}),
        ("assets.add_dynamic_partitions", {"name": "files", "keys": ["a"]}),
        ("assets.report", {"facts": [AssetMaterialization(asset="a")], "now": NOW}),
        ("runs.renew", {"owner": "server-1", "until": NOW}),
        ("events.last_id", {}),
    ):
        assert world.status(name, **arguments) == 409, name
    assert world.stored(world.own)[-2:] == ["LOG", "RUN_SUCCESS"]
    assert world.storage.assets.dynamic_partitions("files") == []


def test_a_later_attempt_makes_the_token_worthless(world: World) -> None:
    run = queued_run(world.storage)
    (claimed,) = world.storage.runs.claim([run.run_id], owner="server-1", until=NOW + 30, now=NOW + 1)
    scope = world.scope_of(claimed)
    assert world.call("runs.get", scope, run_id=run.run_id).status is RunStatus.STARTING
    assert world.storage.runs.record(run.run_id, [RunEnqueued(reason="lost")], now=NOW)
    assert world.status("runs.get", scope, run_id=run.run_id) == 409
    assert world.append_status(*events_from(1, [LINE]), run=run, scope=scope) == 409
    (again,) = world.storage.runs.claim([run.run_id], owner="server-2", until=NOW + 30, now=NOW + 1)
    assert world.status("assets.states", scope) == 409
    assert world.append_status(*events_from(1, [LINE]), run=run, scope=scope) == 409
    assert world.append_status(*events_from(1, [LINE]), run=run, attempt=2, scope=scope) == 403
    assert world.call("runs.get", world.scope_of(again), run_id=run.run_id).attempt == 2


def test_a_deleted_run_has_no_rights(world: World) -> None:
    world.append(*events_from(2, [RunSuccess()]))
    assert world.storage.runs.delete(world.own.run_id)
    assert world.status("assets.states") == 409
    assert world.append_status(*events_from(2, [RunSuccess()])) == 409


def test_a_run_reads_itself_what_it_repeats_and_its_location(world: World) -> None:
    root = given_run(world.storage)
    parent = given_run(world.storage, parent_run_id=root.run_id, root_run_id=root.run_id)
    child = started_run(world.storage, parent_run_id=parent.run_id, root_run_id=root.run_id)
    stranger, foreign = given_run(world.storage), given_run(world.storage, location="bank")
    scope = world.scope_of(child)
    for run in (child, parent, root):
        assert world.call("events.of_run", scope, run_id=run.run_id) == world.storage.events.of_run(run.run_id)
        assert world.call("events.step_stats", scope, run_id=run.run_id) == []
        assert world.call("assets.planned", scope, run_ids=[run.run_id]) == []
    for run in (stranger, foreign):
        assert world.status("events.of_run", scope, run_id=run.run_id) == 403
        assert world.status("events.step_stats", scope, run_id=run.run_id) == 403
        assert world.status("assets.planned", scope, run_ids=[child.run_id, run.run_id]) == 403
    assert world.status("assets.planned", scope) == 403
    assert world.call("runs.get", scope, run_id=stranger.run_id) == stranger
    assert world.status("runs.get", scope, run_id=foreign.run_id) == 403
    everything = world.call("runs.page", scope, where=RunFilter(), limit=100)
    assert {run.location for run in everything} == {"shop"}
    assert world.call("runs.page", scope, where=RunFilter(run_ids=(foreign.run_id,)), limit=1) == []
    assert world.call("runs.count", scope, where=RunFilter()) == len(everything)
    assert world.status("runs.page", scope, where=RunFilter(location="bank"), limit=1) == 403


def test_a_run_prolongs_its_own_lease_alone_and_not_for_long(world: World) -> None:
    other = started_run(world.storage, owner="server-1")
    until = NOW + 10**9
    assert world.call("runs.renew", owner="server-1", until=until) == [(world.own.run_id, 1)]
    assert lease(world, world.own) == world.clock.now() + LONGEST_LEASE
    assert lease(world, other) == other.lease_until
    assert world.call("runs.take_over", run_id=world.own.run_id, attempt=1, owner="worker-1", until=until)
    assert lease(world, world.own) == world.clock.now() + LONGEST_LEASE
    assert world.call("runs.renew", owner="server-1", until=until) == []
    assert world.call("runs.renew", owner="worker-1", until=NOW + 20) == [(world.own.run_id, 1)]
    assert lease(world, world.own) == NOW + 20


def test_a_run_claims_slots_for_itself_alone_and_judges_nobody_by_its_own_clock(world: World) -> None:
    other = started_run(world.storage)  # until NOW + 30
    world.storage.slots.set_limit("db", 1)
    request = SlotRequest(step_key="a", pools=("db",), since=NOW)
    assert world.storage.slots.claim(other.run_id, 1, [request], now=NOW + 5).granted == {"a"}
    wanted = {"run_id": world.own.run_id, "attempt": 1, "requests": [request], "now": NOW + 10**9}
    assert world.status("slots.claim", **{**wanted, "run_id": other.run_id}) == 403
    assert world.status("slots.claim", **{**wanted, "attempt": 2}) == 403
    assert world.call("slots.claim", **wanted, dead_before=NOW + 10**9).granted == frozenset()
    assert world.call("slots.claim", **wanted).granted == frozenset()
    world.clock.advance(60.0)
    assert world.call("slots.claim", **wanted).granted == {"a"}
    for name in ("slots.set_limit", "slots.delete_limit", "slots.free", "slots.pools"):
        assert isinstance(RULES[name].run, str)


def lease(world: World, run: Run) -> float | None:
    found = world.storage.runs.get(run.run_id)
    assert found is not None
    return found.lease_until


def test_neither_a_run_nor_an_evaluation_wipes_launches_or_sees_the_key(world: World) -> None:
    world.server.tokens.sign(world.scope)  # the key is there
    evaluation = EvaluationScope(location="shop", expires=NOW + 60)
    for scope in (world.scope, evaluation):
        assert world.status("assets.report", scope, facts=[AssetWiped(asset="a")], now=NOW) == 403
        assert world.status("runs.create", scope, runs=[]) == 403
        assert world.status("runs.delete", scope, run_id=world.own.run_id) == 403
        assert world.status("locations.get_value", scope, key="storage_gateway/key") == 403
        assert world.status("locations.settle_value", scope, key="storage_gateway/key", value="mine") == 403


def test_an_evaluation_watches_everything_and_writes_for_nobody(world: World) -> None:
    scope = EvaluationScope(location="shop", expires=NOW + 60)
    foreign = given_run(world.storage, location="bank")
    assert world.call("runs.get", scope, run_id=foreign.run_id) == foreign
    assert len(world.call("events.of_types", scope, types=["RUN_START"])) == 1
    assert world.call("instigators.ticks", scope, instigator="shop/sensor/s") == []
    assert world.status("instigators.ticks", scope, instigator="bank/sensor/s") == 403
    assert world.status("instigators.ticks", scope, instigator="shop2/sensor/s") == 403
    assert world.append_status(*events_from(2, [LINE]), scope=scope) == 403
    assert world.status("runs.add_tags", scope, run_id=world.own.run_id, tags={}) == 403
    assert world.call("assets.add_dynamic_partitions", scope, name="files", keys=["a"]) == ["a"]


def test_a_token_in_its_second_half_is_replaced(world: World) -> None:
    body = encode_msgpack({})
    assert world.server.answer(world.scope, "assets.states", body).token is None
    world.clock.advance(world.server.tokens.lifetime * 0.6)
    younger = world.server.answer(world.scope, "assets.states", body).token
    assert younger is not None
    scope = world.server.scope_of(younger)
    assert scope == msgspec.structs.replace(world.scope, expires=world.clock.now() + world.server.tokens.lifetime)
    world.clock.advance(world.server.tokens.lifetime * 0.6)
    assert world.server.scope_of(younger) == scope
    with pytest.raises(RefusedError) as refused:
        world.server.scope_of(world.server.tokens.sign(world.scope))
    assert refused.value.status == 401


# -- what nobody may do -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["runs.nothing", "runs.__class__", "nothing.get", "runs", "", "notifier.subscribe"])
def test_what_is_no_call_is_not_found(world: World, name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        world.server.answer(None, name, b"\x80")
    assert refused.value.status == 404


@pytest.mark.parametrize("limit", [-1, MOST_ROWS + 1, 2**62])
def test_a_call_with_a_token_asks_for_pages(world: World, limit: int) -> None:
    assert world.status("events.of_run", run_id=world.own.run_id, limit=limit) == 403
    assert world.status("assets.history", asset="a", limit=limit) == 403


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("events.of_run", {"run_id": "x", "after": 2**64 - 1}),
        ("runs.record", {"run_id": "x", "facts": [], "now": math.nan}),
        ("runs.renew", {"owner": "x", "until": math.inf}),
        ("runs.get", {}),
        ("runs.get", {"run_id": 7}),
        ("events.append", {"run_id": "x", "attempt": 1, "events": [{"time": 1.0, "fact": {"type": "?"}}], "now": 1.0}),
    ],
)
def test_what_a_method_does_not_take_is_refused(world: World, name: str, arguments: dict[str, Any]) -> None:
    assert world.status(name, **arguments) == 400


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80\x80", b"\x91\x01", b"\x81\xa6run_id\xa1\xff", TOO_MANY_BYTES])
def test_what_is_no_body_is_refused(world: World, body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        world.server.answer(world.scope, "runs.get", body)
    assert refused.value.status == 400


@pytest.mark.parametrize("fields", [{"time": math.nan}, {"time": math.inf}, {"time": NOW, "seq": 2**63}])
def test_a_batch_that_could_never_be_stored_is_refused_for_good(world: World, fields: dict[str, Any]) -> None:
    assert world.append_status(Event(fact=LINE, **fields)) == 403


class Broken:
    """A storage with a fault of its own, or one that is away."""

    def __init__(self, storage: Storage, error: Exception) -> None:
        self.locations = storage.locations
        self.runs = self
        self._error = error

    def get(self, run_id: str) -> None:
        raise self._error


def test_a_fault_inside_is_not_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    server = Dispatcher(Broken(world.storage, KeyError("secret detail")), world.clock)  # type: ignore[arg-type]
    with pytest.raises(RefusedError) as refused:
        server.answer(None, "runs.get", encode_msgpack({"run_id": "x"}))
    assert refused.value.status == 500
    assert "secret detail" not in str(refused.value)
    assert "secret detail" in caplog.text


def test_a_storage_that_is_away_is_told_apart_from_a_value_that_cannot_be_kept(world: World) -> None:
    away = Dispatcher(Broken(world.storage, StorageUnavailableError("away")), world.clock)  # type: ignore[arg-type]
    odd = Dispatcher(Broken(world.storage, StorageError("odd")), world.clock)  # type: ignore[arg-type]
    for server, status in ((away, 503), (odd, 422)):
        with pytest.raises(RefusedError) as refused:
            server.answer(None, "runs.get", encode_msgpack({"run_id": "x"}))
        assert refused.value.status == status


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**63), max_value=2**64 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
)
VALUES = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SCOPES = st.sampled_from(["run", "evaluation"])
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


def answered(world: World, kind: str, name: str, body: bytes) -> int:
    evaluation = EvaluationScope(location="shop", expires=NOW + 60)
    try:
        world.server.answer(world.scope if kind == "run" else evaluation, name, body)
    except RefusedError as refused:
        return refused.status
    return 200


@QUICK
@given(kind=SCOPES, name=st.sampled_from(sorted(RULES)), body=st.binary(max_size=200))
def test_random_bytes_are_refused_as_the_callers_fault(world: World, kind: str, name: str, body: bytes) -> None:
    assert answered(world, kind, name, body) in {200, 400, 403, 409, 422}


@QUICK
@given(kind=SCOPES, name=st.sampled_from(sorted(RULES)), data=st.data())
def test_random_arguments_are_answered_or_refused(world: World, kind: str, name: str, data: st.DataObject) -> None:
    call = call_named(name)
    assert call is not None
    own = {"run_id": world.own.run_id, "attempt": 1}
    arguments = {
        parameter: data.draw(st.just(own[parameter]) | VALUES if parameter in own else VALUES)
        for parameter in call.parameters
    }
    foreign = started_run(world.storage, location="bank")
    before = world.storage.runs.get(foreign.run_id), world.stored(foreign)
    assert answered(world, kind, name, encode_msgpack(arguments)) in {200, 400, 403, 409, 422}
    assert (world.storage.runs.get(foreign.run_id), world.stored(foreign)) == before


TEXTS = st.text(max_size=30) | st.sampled_from(["", "\0", "a" * 5000, "' OR 1=1 --", "a/b", "\U0001f600"])
ASSET_FACTS = st.builds(
    AssetMaterialization, asset=TEXTS, partition=st.none() | TEXTS, tags=st.dictionaries(TEXTS, TEXTS)
) | st.builds(AssetCheckEvaluation, asset=TEXTS, check=TEXTS, passed=st.booleans())
FACTS = st.one_of(
    ASSET_FACTS,
    st.builds(LogLine, level=TEXTS, message=TEXTS),
    st.builds(RunStart, pid=st.none() | st.integers(-(2**63), 2**63 - 1), executor=st.none() | TEXTS),
    st.builds(StepFailure, error=st.builds(ErrorInfo, cls=TEXTS, message=TEXTS)),
)
NUMBERS = st.none() | st.integers(0, 2**63 - 1)
EVENTS = st.builds(
    Event, time=st.floats(allow_nan=False, allow_infinity=False), fact=FACTS, step_key=st.none() | TEXTS, seq=NUMBERS
)


@QUICK
@given(events=st.lists(EVENTS, max_size=5))
def test_odd_events_are_stored_or_refused(world: World, events: list[Event]) -> None:
    body = encode_msgpack({"run_id": world.own.run_id, "attempt": 1, "events": events, "now": NOW})
    assert answered(world, "run", "events.append", body) in {200, 409, 422}
    assert len(world.storage.events.of_run(world.own.run_id, limit=100_000)) >= 1


@QUICK
@given(facts=st.lists(ASSET_FACTS, max_size=5))
def test_odd_facts_about_assets_are_stored_or_refused(world: World, facts: list[AssetMaterialization]) -> None:
    body = encode_msgpack({"facts": facts, "now": NOW})
    assert answered(world, "evaluation", "assets.report", body) in {200, 422}
    assert all(world.storage.assets.history(fact.asset, types=[Event(time=0, fact=fact).type]) for fact in facts)
