"""How long things are kept: what is too old, when the next thing goes, and steps that nobody notices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.retention import (
    DAY,
    FOR_EVER,
    Pace,
    Rule,
    amount_of,
    cuts,
    next_time,
    pace_after,
    rest_after,
    words_of,
)
from penstock.records.automation import InstigatorKind, TickStatus
from penstock.records.retention import Kept, OldEvaluations, OldEvents, OldOutput, OldRuns, OldTicks, RetentionKind

NOW = 1_700_000_000.0
ENDED = (TickStatus.SKIPPED, TickStatus.SUCCESS, TickStatus.FAILURE)


def of(kind: str, days: int) -> Rule:
    return Rule(kind=RetentionKind(kind), days=days)


def ticks(days: int, *statuses: TickStatus, of: InstigatorKind = InstigatorKind.SENSOR) -> Rule:
    return Rule(kind=RetentionKind.TICKS, days=days, of=of, statuses=statuses or ENDED)


def test_each_rule_cuts_at_its_age_and_logs_go_before_runs() -> None:
    rules = [of("compute_logs", 1), of("runs", 2), ticks(3, TickStatus.SKIPPED), of("evaluations", 4), of("events", 5)]
    assert cuts(rules, NOW) == [
        OldEvents(before=NOW - 5 * DAY),
        OldRuns(before=NOW - 2 * DAY),
        OldTicks(before=NOW - 3 * DAY, of=InstigatorKind.SENSOR, statuses=(TickStatus.SKIPPED,)),
        OldEvaluations(before=NOW - 4 * DAY),
        OldOutput(before=NOW - DAY),
    ]


def test_what_is_kept_for_ever_is_never_cut() -> None:
    to_finish = OldEvents(before=0)  # what was begun under another rule
    assert cuts([of(kind, FOR_EVER) for kind in ("events", "runs", "compute_logs")], NOW) == [to_finish]
    assert cuts([of("runs", 0)], NOW) == [to_finish, OldRuns(before=NOW)]


def test_the_next_thing_goes_when_the_oldest_is_too_old() -> None:
    kept = Kept(kind=RetentionKind.EVENTS, rows=1, oldest=NOW - 9 * DAY, aged_from=NOW - 5 * DAY)
    assert next_time([of("events", 6), of("runs", 1)], kept, NOW) == NOW + DAY
    assert next_time([of("events", 5)], kept, NOW) is None
    assert next_time([of("events", FOR_EVER)], kept, NOW) is None
    assert next_time([of("events", 6)], Kept(kind=RetentionKind.EVENTS, rows=0), NOW) is None


def test_rules_in_words() -> None:
    rules = [
        of("events", 90),
        of("runs", FOR_EVER),
        of("evaluations", 1),
        ticks(7, TickStatus.SKIPPED),
        ticks(FOR_EVER, TickStatus.SUCCESS, TickStatus.FAILURE),
        ticks(30, of=InstigatorKind.SCHEDULE),
    ]
    words = {kind.value: words_of(rules, kind) for kind in RetentionKind}
    assert words == {
        "events": "90 days",
        "runs": "for ever",
        "ticks": "schedules 30 days, sensors for ever (skipped 7 days)",
        "evaluations": "1 day",
        "acts": "for ever",
        "compute_logs": "for ever",
    }


def test_amounts_in_words() -> None:
    assert amount_of(RetentionKind.TICKS, 1) == "1 tick"
    assert amount_of(RetentionKind.EVENTS, 12_345) == "12,345 events of the log"
    assert amount_of(RetentionKind.COMPUTE_LOGS, 2) == "2 runs' output"


@given(st.integers(200, 5000), st.floats(0, 100))
def test_steps_grow_while_they_are_quick_and_shrink_while_they_are_slow(rows: int, took: float) -> None:
    after = pace_after(Pace(rows), took).rows
    assert 200 <= after <= 5000
    assert after >= rows if took < 0.04 else after <= rows
    assert rest_after(took) >= 4 * took


def test_a_pace_settles_where_a_step_is_short() -> None:
    pace = Pace(5000)
    for _ in range(20):
        pace = pace_after(pace, pace.rows * 0.00005)  # 50 microseconds a row
    assert 200 <= pace.rows <= 800
