"""`penstock instance retention`: what it shows, what it would remove, and what it removes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.instance import instance as command
from penstock.instance.instance import Instance
from penstock.logs.store import log_key
from penstock.records.automation import Tick, TickStatus
from penstock.records.event import RunSuccess
from penstock.storage.archive import Archived
from penstock.testing.storage_contract.builders import NOW, events_from, started_run


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """One with three old ticks of a sensor, and a run that has printed and ended long ago."""
    with Instance.open(tmp_path) as opened:
        assert isinstance(opened.storage, Archived)
        ticks = [
            Tick(instigator="shop/sensor/s", due=NOW + n, started=NOW + n, ended=NOW + n, status=TickStatus.SUCCESS)
            for n in range(3)
        ]
        opened.storage.archive.load_ticks(ticks)
        run = started_run(opened.storage)
        opened.storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()]), now=NOW + 3)
        assert opened.logs.files is not None
        path = opened.logs.files.path(log_key(run.run_id, "a"), "stdout")
        path.parent.mkdir(parents=True)
        path.write_text("x")
        yield opened


def asked(instance: Instance, *flags: str, code: int = 0) -> str:
    found = CliRunner().invoke(command, ["retention", "--home", str(instance.home), *flags])
    assert found.exit_code == code, found.output
    return found.output


def lines(output: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in map(str.split, output.splitlines()) if words}


def test_it_shows_each_kind_and_changes_nothing(instance: Instance) -> None:
    for _ in range(2):
        shown = lines(asked(instance))
        assert list(shown) == ["KIND", "events", "runs", "ticks", "evaluations", "acts", "compute_logs"]
        assert shown["runs"][:2] == ["for", "ever"]
        assert shown["ticks"][:6] == ["schedules", "30", "days,", "sensors", "30", "days"]
        assert shown["ticks"][-1] == "2"  # the last tick stays
        assert shown["compute_logs"][-1] == "1"


def test_what_is_too_old_is_removed_on_demand(instance: Instance) -> None:
    told = asked(instance, "--apply", "--kind", "ticks", "--kind", "compute_logs")
    assert "Removed: 2 ticks and 1 run's output." in told
    assert list(lines(told))[-2:] == ["ticks", "compute_logs"]
    assert len(instance.storage.instigators.ticks("shop/sensor/s")) == 1
    assert list(instance.logs.runs()) == []
    assert "Removed: nothing." in asked(instance, "--apply", "--kind", "ticks")


def test_another_age_may_be_given_for_a_kind(instance: Instance) -> None:
    def going(*flags: str) -> int:
        (kind,) = json.loads(asked(instance, "--json", "--kind", "runs", *flags))
        assert kind["kept"]["kind"] == "runs"
        return int(kind["going"])

    assert going() == 0
    assert going("--days", "7") == 1
    assert going("--days", "99999") == 0
    assert "Removed: 1 run." in asked(instance, "--apply", "--kind", "runs", "--days", "7")
    assert going("--days", "7") == 0
    assert list(instance.logs.runs()) == []


def test_an_age_is_for_a_kind(instance: Instance) -> None:
    assert "--days goes with --kind" in asked(instance, "--days", "7", code=2)


def test_deleting_a_run_removes_what_it_printed(instance: Instance) -> None:
    (run_id,) = instance.logs.runs()
    instance.delete_run(run_id)
    assert list(instance.logs.runs()) == []


def test_after_an_import_it_is_said_what_will_be_removed(instance: Instance, tmp_path: Path) -> None:
    file = str(tmp_path / "history.gz")

    def said(*arguments: str) -> str:
        found = CliRunner().invoke(command, [*arguments])
        assert found.exit_code == 0, found.output
        return found.output

    said("export", file, "--home", str(instance.home))
    told = said("import", file, "--home", str(tmp_path / "other"))
    assert "Too old by the settings: 2 ticks. The daemon will remove them; to keep them, change the block" in told
    keeping = tmp_path / "keeping"
    keeping.mkdir()
    (keeping / "penstock.yaml").write_text("retention: {sensor: {purge_after_days: -1}}\n")
    assert "Too old" not in said("import", file, "--home", str(keeping))
