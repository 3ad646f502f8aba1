"""Tells all that has come of a rough day, in few words, to compare it with that of another process:
`python -m simulation.told SEED FOLDER`."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from penstock.codec import encode_json
from penstock.ids import _Source
from penstock.storage.protocols import BackfillFilter, RunFilter
from simulation.deployment import Deployment
from simulation.ids import source_of_same_ids
from simulation.rough import ROUGH, simulated

__all__ = ["told"]


def told(deployment: Deployment) -> dict[str, str]:
    """A digest of each kind of thing."""
    storage = deployment.storage
    instigators = sorted(storage.instigators.states())
    ticks = (storage.instigators.ticks(each, limit=1_000_000) for each in instigators)
    runs = storage.runs.page(RunFilter(), limit=1_000_000)
    return {
        "ticks": _digest(ticks),
        "runs": _digest(runs),
        "events": _digest(storage.events.of_run(run.run_id, limit=1_000_000) for run in runs),
        "freshness": _digest(storage.events.of_types(["FRESHNESS_STATE_CHANGE"], limit=1_000_000)),
        "backfills": _digest(storage.backfills.page(BackfillFilter(), limit=1_000_000)),
        "alerts": _digest(storage.outbox.page(limit=1_000_000)),
    }


def _digest(things: Iterable[Any]) -> str:
    found = hashlib.blake2b(digest_size=8)
    number = 0
    for each in things:
        found.update(encode_json(each))
        number += 1
    return f"{number} {found.hexdigest()}"


def main() -> None:
    """Simulate the day and tell it."""
    seed, folder = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    for name, value in source_of_same_ids().items():
        setattr(_Source, name, value)
    for kind, digest in told(simulated(int(seed), Path(folder), ROUGH)).items():
        print(kind, digest)


if __name__ == "__main__":
    main()
