"""`context.log` and managed Python loggers: each call is one line of the run."""

from __future__ import annotations

import logging

import pytest

from penstock.errors import UsageError
from penstock.execution.log import ContextLogger, managed_loggers
from penstock.execution.python_logs import PythonLogs
from penstock.records.event import Fact, LogLine


def lines(facts: list[Fact]) -> list[tuple[str, str]]:
    return [(each.level, each.message) for each in facts if isinstance(each, LogLine)]


def test_each_level_is_a_line() -> None:
    facts: list[Fact] = []
    log = ContextLogger(facts.append)
    log.debug("a")
    log.info("%s and %d", "b", 2)
    log.warning("c")
    log.error("d")
    log.critical("e")
    log.log(25, "between")
    assert lines(facts) == [
        ("DEBUG", "a"),
        ("INFO", "b and 2"),
        ("WARNING", "c"),
        ("ERROR", "d"),
        ("CRITICAL", "e"),
        ("INFO", "between"),
    ]


def test_an_exception_goes_with_its_line() -> None:
    facts: list[Fact] = []
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        ContextLogger(facts.append).exception("it broke")
    (line,) = facts
    assert isinstance(line, LogLine)
    assert line.error is not None
    assert line.error.cls == "ZeroDivisionError"


def test_a_wrong_format_does_not_fail_the_step() -> None:
    facts: list[Fact] = []
    ContextLogger(facts.append).info("%d things", "many")
    assert "%d things" in lines(facts)[0][1]
    assert "many" in lines(facts)[0][1]


def test_managed_loggers_are_heard_only_meanwhile() -> None:
    facts: list[Fact] = []
    logger = logging.getLogger("a.library")
    logger.setLevel(logging.INFO)
    with managed_loggers(PythonLogs(managed=("a.library",)), facts.append):
        logger.info("within")
    logger.info("after")
    assert lines(facts) == [("INFO", "within")]
    assert isinstance(facts[0], LogLine)
    assert facts[0].logger == "a.library"


def test_a_level_may_be_named() -> None:
    facts: list[Fact] = []
    ContextLogger(facts.append).log("warning", "%d left", 3)
    assert lines(facts) == [("WARNING", "3 left")]
    with pytest.raises(UsageError, match="no log level 'loud'; use one of"):
        ContextLogger(facts.append).log("loud", "x")


def test_a_level_holds_for_managed_loggers_and_for_the_context_s(caplog: pytest.LogCaptureFixture) -> None:
    facts: list[Fact] = []
    logger = logging.getLogger("a.quiet.library")
    logger.setLevel(logging.ERROR)
    with managed_loggers(PythonLogs(managed=("a.quiet.library",), level=logging.INFO), facts.append):
        logger.debug("too quiet")
        logger.info("loud enough")
    assert logger.level == logging.ERROR
    log = ContextLogger(facts.append, level=logging.WARNING)
    log.info("too quiet")
    log.warning("heard")
    assert lines(facts) == [("INFO", "loud enough"), ("WARNING", "heard")]
    assert "too quiet" not in caplog.text
