"""Records as text and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock import (
    AddDynamicPartitionsRequest,
    AssetCheckKey,
    AssetKey,
    AssetMaterialization,
    EventType,
    Instance,
    RunStatus,
    deserialize_value,
    serialize_value,
)
from penstock.errors import UsageError
from penstock.records.automation import Tick
from penstock.records.errors import ErrorInfo
from penstock.records.event import EngineNote, Event, LogLine
from penstock.records.metadata import FloatMetadataValue, MetadataValue
from penstock.records.run import Run
from penstock.testing import add_run

RUN = Run(run_id="r", location="here", job="nightly", run_config={"ops": {"a": [1, None]}}, tags={"a": "b"})
NOTE = EngineNote(message="m", metadata={"x": FloatMetadataValue(1.5)}, error=ErrorInfo(cls="E", message="m"))


@pytest.mark.parametrize(
    "value",
    [
        RUN,
        RunStatus.QUEUED,
        EventType.RUN_START,
        NOTE,
        LogLine(level="INFO", message="m"),
        Event(time=1.5, fact=NOTE, step_key="s"),
        Tick(instigator="here/sensor/s", due=1.0, partitions=(AddDynamicPartitionsRequest("files", ("a",)),)),
        MetadataValue.md("*x*"),
        AssetKey(["a", "b/c"]),
        AssetCheckKey(AssetKey(["a"]), "c"),
        [1, "a", None, True, {"x": [RUN, 1.5]}],
        {"value": "no record"},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_written_is_read(value: Any) -> None:
    assert deserialize_value(serialize_value(value), type(value)) == value
    assert deserialize_value(serialize_value(value, indent=2)) == value


def test_what_an_instance_gives_is_written() -> None:
    with Instance.ephemeral() as instance:
        run = add_run(instance, "nightly")
        instance.report_runless_asset_event(AssetMaterialization("orders", metadata={"rows": 1}))
        given = [run, *instance.all_logs(run.run_id), *instance.fetch_materializations(AssetKey("orders"), 1).records]
        assert deserialize_value(serialize_value(given)) == given


def test_the_kind_is_in_the_text() -> None:
    assert json.loads(serialize_value(RunStatus.QUEUED)) == {"__kind__": "RunStatus", "value": "QUEUED"}


def test_what_has_no_text_form_is_refused() -> None:
    for value in (object(), {1: "x"}, {"__kind__": "Run"}):
        with pytest.raises(UsageError, match="has no text form; there is one for"):
            serialize_value(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "none that serialize_value has written"),
        ('{"__kind__": "Run", "value": {"run_id": 1}}', "none that serialize_value has written \\(Expected `str`"),
        ('{"__kind__": "Rnu", "value": 1}', "has a Rnu, which this version"),
        ("[]", "is a list, not a Run"),
    ],
)
def test_other_texts_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        deserialize_value(text, Run)
