"""What the settings say of Python's loggers takes effect in every run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from penstock import job, op
from penstock.errors import SettingsError
from penstock.execution.python_logs import made_handlers
from penstock.instance.instance import Instance
from penstock.records.event import LogLine


@op
def talking(context: Any) -> None:
    logging.getLogger("some.library").info("by a library")
    logging.getLogger("some.other").warning("by one that nobody manages")
    context.log.debug("too quiet")
    context.log.info("by the step")


@job
def talk() -> None:
    talking()


def test_managed_loggers_levels_and_handlers(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    settings = {
        "python_logs": {
            "managed_python_loggers": ["some.library"],
            "python_log_level": "info",
            "handler_config": {
                "handlers": {
                    "file": {
                        "class": "logging.FileHandler",
                        "filename": str(file),
                        "formatter": "short",
                        "level": "INFO",
                        "delay": True,
                    }
                },
                "formatters": {"short": {"format": "%(levelname)s %(message)s"}},
            },
        }
    }
    with Instance.local_temp(tmp_path / "home", settings) as instance:
        result = talk.execute_in_process(instance=instance)
        events = instance.storage.events.of_run(result.run_id)
        messages = [each.event.fact.message for each in events if isinstance(each.event.fact, LogLine)]
    assert messages == ["by a library", "by the step"]
    for handler in made_handlers(settings["python_logs"]["handler_config"]):  # type: ignore[arg-type]
        handler.close()
    written = file.read_text().splitlines()
    assert written.count("INFO by a library") == written.count("INFO by the step") == 1
    assert not any("too quiet" in line for line in written)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"handler": {}}, 'no key "handler"'),
        ({"handlers": {"h": {"class": "nowhere.Handler"}}}, "handlers.h cannot be made"),
        ({"handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}}}, "handlers.h cannot be made"),
    ],
)
def test_handlers_that_cannot_be_made(config: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        made_handlers(config)
