"""A migration adds, and changes nothing that a process of the version before it reads or writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock import storage

SCHEMAS = Path(storage.__file__).parent
FILES = sorted(SCHEMAS.glob("*/schema/[0-9]*.sql"))

EXCEPTIONS: Mapping[str, str] = {
    "0004_event_logs.sql": "No version was released with a schema before it.",
}
"""Files that may do more, each with its reason."""

_MADE = re.compile(r"CREATE TABLE (\w+)")
_TABLE = re.compile(r"(?:ALTER TABLE|\bON) (?:ONLY )?(\w+)")
_REFUSED = {
    "takes something away": re.compile(r"\bDROP (TABLE|COLUMN|INDEX|CONSTRAINT|DEFAULT)\b"),
    "renames something": re.compile(r"\bRENAME\b"),
    "changes a column": re.compile(r"\bALTER COLUMN\b|\bSET NOT NULL\b"),
    "adds a column that older writers do not fill": re.compile(r"\bADD COLUMN\b(?=.*\bNOT NULL\b)(?!.*\bDEFAULT\b)"),
    "refuses rows that older writers write": re.compile(r"\bADD (CONSTRAINT|CHECK|UNIQUE|PRIMARY)|CREATE UNIQUE INDEX"),
}


def refusals(script: str) -> list[str]:
    """What of a script is more than an addition: why, and the statement."""
    plain = "\n".join(line.partition("--")[0] for line in script.splitlines())
    made: set[str] = set()
    found = []
    for statement in (" ".join(part.split()) for part in plain.split(";")):
        made.update(_MADE.findall(statement))
        table = _TABLE.search(statement)
        if table is not None and table[1] in made:
            continue  # it is of this file
        found += [f"{why}: {statement}" for why, pattern in _REFUSED.items() if pattern.search(statement)]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}-{file.name}")
def test_a_migration_adds_alone(file: Path) -> None:
    if file.name in EXCEPTIONS:
        assert refusals(file.read_text(encoding="utf-8")), "it needs no exception"
    else:
        assert refusals(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE runs",
        "ALTER TABLE runs\n    DROP COLUMN note",
        "DROP INDEX runs_by_job",
        "ALTER TABLE runs RENAME COLUMN note TO remark",
        "ALTER TABLE runs RENAME TO works",
        "ALTER TABLE runs ALTER COLUMN note TYPE BYTEA",
        "ALTER TABLE runs ADD COLUMN extra TEXT NOT NULL",
        "ALTER TABLE runs ADD CONSTRAINT named CHECK (note <> '')",
        "CREATE UNIQUE INDEX runs_once ON runs (job, note)",
    ],
)
def test_what_is_more_than_an_addition_is_found(statement: str) -> None:
    assert len(refusals(f"CREATE TABLE extra (a TEXT);\n-- Why.\n{statement};\n")) == 1


def test_additions_are_none() -> None:
    script = """
    CREATE TABLE extra (a TEXT, CHECK (a <> ''));  -- DROP TABLE runs;
    CREATE UNIQUE INDEX extra_once ON extra (a);
    ALTER TABLE runs ADD COLUMN kind TEXT;
    ALTER TABLE runs ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX runs_by_kind ON runs (kind);
    """
    assert refusals(script) == []


def test_both_dialects_have_the_same_files_from_the_fourth_on() -> None:
    sqlite, postgres = (
        {file.name for file in (SCHEMAS / each / "schema").iterdir()} for each in ("sqlite", "postgres")
    )
    # Postgres began with what SQLite's third file came to.
    assert sqlite - {"0002_data_versions.sql", "0003_pools.sql"} == postgres
