"""The loggers that write a run's lines to stderr: for people, or as JSON for programs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from .loggers import InitLoggerContext, LoggerDefinition

__all__ = ["colored_console_logger", "json_console_logger"]

_COLORS = {"DEBUG": "32", "INFO": "34", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


class _Colored(logging.Formatter):
    """One line for each record, with its level in color where somebody looks at it."""

    def format(self, record: logging.LogRecord) -> str:
        about: dict[str, Any] = getattr(record, "penstock_meta", {})
        level = record.levelname
        if sys.stderr.isatty():
            level = f"\x1b[{_COLORS.get(level, '0')}m{level}\x1b[0m"
        where = [about[key] for key in ("job_name", "run_id", "step_key") if about.get(key)]
        return " - ".join([_time(record).isoformat(" ", "seconds"), record.name, level, *where, _text(record)])


class _Json(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        about: dict[str, Any] = getattr(record, "penstock_meta", {})
        line = {
            "time": _time(record).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": _text(record),
            **{key: value for key, value in about.items() if value is not None},
        }
        return json.dumps(line, default=str)


class _Stderr(logging.StreamHandler[Any]):
    """Writes to what stderr is at that moment, so that captured output has the lines too."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _text(record: logging.LogRecord) -> str:
    text = record.getMessage()
    trace = getattr(record, "penstock_meta", {}).get("stack") or record.exc_text
    return f"{text}\n{trace}" if trace else text


def _config_schema() -> Any:
    from ..config.fields import Field

    return {
        "log_level": Field(
            str, is_required=False, default_value="INFO", description="The lowest level that is written."
        ),
        "name": Field(str, is_required=False, default_value="penstock", description="The logger's name."),
    }


def _console(context: InitLoggerContext, formatter: logging.Formatter) -> logging.Logger:
    config = context.logger_config
    made = logging.Logger(config["name"], level=config["log_level"].upper())
    handler = _Stderr()
    handler.setFormatter(formatter)
    made.addHandler(handler)
    return made


def _colored(context: InitLoggerContext) -> logging.Logger:
    return _console(context, _Colored())


def _json(context: InitLoggerContext) -> logging.Logger:
    return _console(context, _Json())


colored_console_logger = LoggerDefinition(_colored, _config_schema, "Writes lines for people to stderr.")
"""Writes lines for people to stderr, in color on a terminal."""

json_console_logger = LoggerDefinition(_json, _config_schema, "Writes lines of JSON to stderr.")
"""Writes lines of JSON to stderr."""
