"""Each change of how fresh an asset is was told once, and the last one is true."""

from __future__ import annotations

from penstock.engine.freshness import freshness_of, made_at
from penstock.records.event import FreshnessStateChange
from penstock.records.freshness_state import FreshnessState
from simulation.deployment import Deployment
from simulation.rough import POLICIES

__all__ = ["check_freshness"]

SOON = 5.0
"""So many seconds after it is due, at most, a change is told, where nothing goes wrong."""


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
    for key, policy in POLICIES.items():
        made = made_at(states.get(key), materializable=True)
        # What changed a moment ago may still be told.
        assert told[key] in {freshness_of(policy, made, at) for at in (now, now - SOON)}, key
    assert {key: row.state for key, row in storage.assets.freshness().items()}.items() <= told.items()
