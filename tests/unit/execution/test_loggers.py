"""Loggers that a run config chooses, Python loggers that users get, and the built-in console loggers."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    Definitions,
    Failure,
    Field,
    InitLoggerContext,
    LoggerDefinition,
    OpExecutionContext,
    build_init_logger_context,
    colored_console_logger,
    default_loggers,
    get_logger,
    job,
    json_console_logger,
    logger,
    op,
)
from penstock.errors import DefinitionError, InvalidRunConfigError, InvocationError, UserCodeError
from penstock.records.event import LogLine

RECORDS: list[logging.LogRecord] = []


class Keep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        RECORDS.append(record)


@logger({"level": Field(str, is_required=False, default_value="DEBUG"), "name": Field(str, is_required=False)})
def keep(context: InitLoggerContext) -> logging.Logger:
    """Keeps records."""
    made = logging.Logger(context.logger_config.get("name", "keep"), context.logger_config["level"])
    made.addHandler(Keep())
    return made


@logger
def broken(context: InitLoggerContext) -> logging.Logger:
    class Raises(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("the disk is full")

    made = logging.Logger("broken")
    made.addHandler(Raises())
    return made


@op
def speak(context: OpExecutionContext) -> int:
    context.log.info("hello %s", "there")
    get_logger().warning("from a library")
    get_logger("inner").error("from another")
    return 1


@job(logger_defs={"keep": keep, "broken": broken})
def work() -> None:
    speak()


@pytest.fixture(autouse=True)
def _fresh() -> None:
    RECORDS.clear()


def lines(level: int = logging.INFO) -> list[tuple[str, str]]:
    return [(each.levelname, each.getMessage()) for each in RECORDS if each.levelno >= level]


def test_a_logger_gets_each_line_once_with_what_it_is_about() -> None:
    result = work.execute_in_process(run_config={"loggers": {"keep": {"config": {"name": "mine"}}}})
    spoken = [each for each in RECORDS if vars(each)["penstock_meta"]["event_type"] is None]
    assert [(each.levelname, each.getMessage()) for each in spoken] == [
        ("INFO", "hello there"),
        ("WARNING", "from a library"),
        ("ERROR", "from another"),
    ]
    (first, *_), names = spoken, {each.name for each in RECORDS}
    assert names == {"mine"}
    about = {"run_id": result.run_id, "job_name": "work", "step_key": "speak", "event_type": None, "stack": None}
    assert vars(first)["penstock_meta"] == about
    types = [vars(each)["penstock_meta"]["event_type"] for each in RECORDS]
    assert types[0] == "RUN_START"
    assert types[-1] == "RUN_SUCCESS"
    assert types.count("STEP_SUCCESS") == 1


def test_a_logger_that_the_run_config_does_not_name_is_not_made() -> None:
    work.execute_in_process()
    assert RECORDS == []


def test_the_level_is_the_logger_s_own() -> None:
    work.execute_in_process(run_config={"loggers": {"keep": {"config": {"level": "WARNING"}}}})
    assert lines(0) == [("WARNING", "from a library"), ("ERROR", "from another")]


def test_a_failure_comes_with_its_stack() -> None:
    @op
    def fails() -> None:
        raise Failure("on purpose")

    @job(logger_defs={"keep": keep})
    def failing() -> None:
        fails()

    failing.execute_in_process(run_config={"loggers": {"keep": {}}}, raise_on_error=False)
    (failure,) = (each for each in RECORDS if vars(each)["penstock_meta"]["event_type"] == "STEP_FAILURE")
    assert failure.levelname == "ERROR"
    assert "in fails" in vars(failure)["penstock_meta"]["stack"]


def test_a_logger_that_raises_fails_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert work.execute_in_process(run_config={"loggers": {"broken": {}}}).success
    assert "the disk is full" in capsys.readouterr().err


def test_mistakes_are_named() -> None:
    with pytest.raises(InvalidRunConfigError, match="levl"):
        work.execute_in_process(run_config={"loggers": {"keep": {"config": {"levl": "INFO"}}}})
    with pytest.raises(InvalidRunConfigError, match="kep"):
        work.execute_in_process(run_config={"loggers": {"kep": {}}})
    with pytest.raises(DefinitionError, match='as its logger "keep"'):
        Definitions(loggers={"keep": logging.getLogger()})  # type: ignore[dict-item]  # the mistake under test

    @logger
    def no_logger(context: InitLoggerContext) -> Any:
        return "nothing"

    @logger
    def raises(context: InitLoggerContext) -> logging.Logger:
        raise OSError("no way there")

    @job(logger_defs={"no": no_logger, "raises": raises})
    def other() -> None:
        speak()

    with pytest.raises(UserCodeError, match=r"returns a logging\.Logger"):
        other.execute_in_process(run_config={"loggers": {"no": {}}})
    with pytest.raises(UserCodeError, match=r'logger "raises".*no way there'):
        other.execute_in_process(run_config={"loggers": {"raises": {}}})


def test_definitions_give_loggers_to_jobs_that_have_none() -> None:
    @job
    def plain() -> None:
        speak()

    defs = Definitions(jobs=[plain, work], loggers={"shared": keep})
    assert set(defs.get_job_def("plain").loggers) == {"shared"}
    assert set(defs.get_job_def("work").loggers) == {"keep", "broken"}
    assert defs.get_job_def("plain").has_specified_loggers
    assert not plain.has_specified_loggers
    assert dict(plain.loggers) == dict(default_loggers())
    defs.get_job_def("plain").execute_in_process(run_config={"loggers": {"shared": {}}})
    assert ("INFO", "hello there") in lines()


def test_merged_definitions_have_the_loggers_of_all() -> None:
    merged = Definitions.merge(Definitions(loggers={"a": keep}), Definitions(loggers={"b": broken}), Definitions())
    assert merged.loggers == {"a": keep, "b": broken}
    with pytest.raises(DefinitionError, match='another logger "a"'):
        Definitions.merge(Definitions(loggers={"a": keep}), Definitions(loggers={"a": broken}))


def test_a_logger_is_configured_in_code() -> None:
    quiet = keep.configured({"level": "ERROR"})

    @job(logger_defs={"quiet": quiet, "made": keep.configured(lambda level: {"level": level}, config_schema=str)})
    def configured() -> None:
        speak()

    configured.execute_in_process(run_config={"loggers": {"quiet": {}}})
    assert lines(0) == [("ERROR", "from another")]
    RECORDS.clear()
    configured.execute_in_process(run_config={"loggers": {"made": {"config": "WARNING"}}})
    assert lines(0) == [("WARNING", "from a library"), ("ERROR", "from another")]


def test_a_logger_is_called_as_tests_do() -> None:
    made = keep(build_init_logger_context({"name": "mine"}, job_def=work))
    assert (made.name, made.level) == ("mine", logging.DEBUG)
    assert keep().name == "keep"
    assert keep.description == "Keeps records."
    with pytest.raises(InvalidRunConfigError, match="levl"):
        keep(build_init_logger_context({"levl": 1}))
    with pytest.raises(InvocationError, match="build_init_logger_context"):
        keep("context")  # type: ignore[arg-type]


@pytest.mark.parametrize("definition", [colored_console_logger, json_console_logger])
def test_the_console_loggers_write_to_stderr(definition: LoggerDefinition, capsys: pytest.CaptureFixture[str]) -> None:
    @job(logger_defs={"console": definition})
    def told() -> None:
        speak()

    result = told.execute_in_process(run_config={"loggers": {"console": {"config": {"log_level": "warning"}}}})
    written = capsys.readouterr().err.splitlines()
    assert len(written) == 2
    if definition is json_console_logger:
        line = json.loads(written[0])
        assert line.pop("time").startswith("20")
        assert line == {
            "level": "WARNING",
            "logger": "penstock",
            "message": "from a library",
            "run_id": result.run_id,
            "job_name": "told",
            "step_key": "speak",
        }
    else:
        assert f" - penstock - WARNING - told - {result.run_id} - speak - from a library" in written[0]


def test_lines_of_user_loggers_belong_to_their_step_also_from_threads() -> None:
    @op
    def threaded() -> None:
        worker = threading.Thread(target=lambda: get_logger("thread").info("from a thread"))
        worker.start()
        worker.join()

    @job
    def both() -> None:
        threaded()
        speak()

    told = [event for event in both.execute_in_process().all_events if isinstance(event.fact, LogLine)]
    assert [(event.step_key, event.fact.message) for event in told if isinstance(event.fact, LogLine)] == [
        ("threaded", "from a thread"),
        ("speak", "hello there"),
        ("speak", "from a library"),
        ("speak", "from another"),
    ]
    get_logger().warning("outside of runs it goes nowhere")


def test_a_line_is_told_once_where_root_is_managed_too(tmp_path: Any) -> None:
    from penstock.execution.log import managed_loggers
    from penstock.execution.python_logs import PythonLogs

    told: list[str] = []
    with managed_loggers(
        PythonLogs(managed=("root",)), lambda fact: told.append(fact.message) if isinstance(fact, LogLine) else None
    ):
        get_logger("any").info("once")
        logging.getLogger("other.library").warning("also")
    get_logger("any").info("not any more")
    assert told == ["once", "also"]


FILE_LOGGER = """
import json, logging, sys
from penstock import Instance, execute_job, job, logger, op, reconstructable

class Append(logging.Handler):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def emit(self, record):
        with open(self.path, "a") as file:
            file.write(json.dumps({"pid": record.process, "text": record.getMessage()}) + "\\n")

@logger(str)
def file_logger(context):
    made = logging.Logger("file")
    made.addHandler(Append(context.logger_config))
    return made

@op
def speak(context):
    context.log.info("hello there")

@job(logger_defs={"file": file_logger})
def to_file():
    speak()

if __name__ == "__main__":
    config = {"loggers": {"file": {"config": sys.argv[1]}}, "execution": {"config": {"multiprocess": {}}}}
    with Instance.ephemeral() as instance:
        assert execute_job(reconstructable(to_file), instance, config).success
"""


def test_steps_in_processes_write_to_loggers_of_their_own(tmp_path: Path) -> None:
    """Each line is written once: those of steps by their processes, the others by the run's own."""
    program, file = tmp_path / "program.py", tmp_path / "lines"
    program.write_text(FILE_LOGGER)
    # In a process of its own: one of a parallel test run has threads, and would not be forked.
    subprocess.run([sys.executable, str(program), str(file)], check=True)
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert len({each["pid"] for each in written}) == 2
    texts = [each["text"] for each in written]
    assert texts.count("hello there") == 1
    assert sum("The run ended well" in each for each in texts) == 1
    assert sum("Finished speak" in each for each in texts) == 1
