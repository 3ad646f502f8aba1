"""What Postgres does for a batch of events does not grow with the run."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from penstock.records.event import Event, StepStart, StepSuccess
from penstock.storage.postgres import PostgresStorage
from penstock.storage.postgres.connection import Database
from penstock.storage.postgres.ledger import ask_steps
from penstock.storage.postgres.transaction import Transaction
from penstock.testing.storage_contract.builders import NOW, started_run

_STEPS = 20
_READ = (
    "SELECT pg_stat_get_xact_tuples_returned('steps'::regclass) + pg_stat_get_xact_tuples_fetched('steps'::regclass)"
)


@pytest.fixture
def storage(postgres_url: str) -> Iterator[PostgresStorage]:
    storage = PostgresStorage(postgres_url, pool_size=1)
    storage.migrate()
    yield storage
    storage.close()


def test_a_batch_reads_no_more_steps_than_it_names(storage: PostgresStorage, postgres_url: str) -> None:
    run = started_run(storage)
    seq = 2
    for batch in range(20):  # long enough that the server plans once for all
        events = []
        for number in range(_STEPS):
            for fact in (StepStart(), StepSuccess(seconds=1.0)):
                events.append(Event(time=NOW, fact=fact, step_key=f"step_{batch}_{number}", seq=seq))
                seq += 1
        storage.events.append(run.run_id, 1, events, now=NOW)
    database = Database(psycopg.conninfo.conninfo_to_dict(postgres_url))

    def read(tx: Transaction) -> int:
        ((before,),) = tx.rows(_READ)
        asked = ask_steps(tx, run.run_id, events)
        assert asked is not None
        tx.sync()
        assert len(asked.rows()) == _STEPS
        ((after,),) = tx.rows(_READ)
        return int(after - before)

    assert max(database.write("look up steps", read) for _ in range(15)) <= 2 * _STEPS
    database.pool.close()
