"""Each change of how fresh an asset is was told once, and the last one is true."""

from __future__ import annotations

from penstock.engine.freshness import freshness_of, made_at
from penstock.records.event import FreshnessStateChange
from penstock.records.freshness_state import FreshnessState
from simulation.deployment import Deployment
from simulation.rough import POLICIES

__all__ = ["check_freshness"]


def check_freshness(deployment: Deployment) -> None:
    """See the head of this file."""
    storage, now = deployment.storage, deployment.simulation.now()
    told = dict.fromkeys(POLICIES, FreshnessState.UNKNOWN)
    for stored in storage.events.of_types(["FRESHNESS_STATE_CHANGE"], limit=1_000_000):
        fact = stored.event.fact
        assert isinstance(fact, FreshnessStateChange)
        assert fact.previous is told[fact.asset] is not fact.state
        told[fact.asset] = fact.state
    states = storage.assets.states(list(POLICIES))
    assert told == {
        key: freshness_of(policy, made_at(states.get(key), materializable=True), now)
        for key, policy in POLICIES.items()
    }
    assert {key: row.state for key, row in storage.assets.freshness().items()}.items() <= told.items()
