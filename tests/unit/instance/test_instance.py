"""The instance: made in its home, filled from its settings, gone when it is ephemeral."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import SettingsError
from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.instance.reference import InstanceRef
from penstock.launch.coordinators import ImmediateRunCoordinator, QueuedRunCoordinator
from penstock.records.run import Run
from penstock.storage.protocols import NewRun


def test_a_missing_home_is_made(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    with Instance.open(home) as instance:
        assert instance.home == home
        assert instance.artifacts == home / "storage"
        assert (home / "penstock.db").is_file()
        assert isinstance(instance.coordinator, QueuedRunCoordinator)


def test_the_home_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    with Instance.open(None) as instance:
        assert instance.home == tmp_path / "home"
    monkeypatch.delenv("PENSTOCK_HOME")
    with pytest.raises(SettingsError, match="PENSTOCK_HOME"):
        Instance.open()


def test_a_home_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot be made.*Name another folder"):
        Instance.open(tmp_path / "file" / "home")


def test_the_settings_choose_places_and_components(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_text(
        "storage: {sqlite: {base_dir: data}}\n"
        "local_artifact_storage: {base_dir: /tmp/values}\n"
        "compute_logs: {local: {base_dir: captured}}\n"
        "run_coordinator: immediate\n"
    )
    with Instance.open(tmp_path) as instance:
        assert (tmp_path / "data" / "penstock.db").is_file()
        assert instance.artifacts == Path("/tmp/values")
        assert isinstance(instance.coordinator, ImmediateRunCoordinator)


def test_an_ephemeral_instance_leaves_nothing_behind() -> None:
    with Instance.ephemeral() as instance:
        folder = instance.artifacts.parent
        assert folder.is_dir()
        assert instance.storage.runs.active() == []
        assert instance.home is None
    assert not folder.exists()


def test_a_reference_opens_the_same_instance(tmp_path: Path) -> None:
    with Instance.open(tmp_path) as instance:
        run = Run(run_id=new_run_id(), location="shop", job="nightly")
        instance.storage.runs.create([NewRun(run=run)])
        reference = InstanceRef.decode(InstanceRef(home=str(tmp_path), settings=instance.settings).encode())
        with reference.open() as other:
            found = other.storage.runs.get(run.run_id)
    assert found is not None
    assert found.job == "nightly"
