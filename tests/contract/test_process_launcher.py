"""Processes of this machine keep every promise of step launchers, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from penstock.errors import EnvironmentalError
from penstock.execution import process_launcher
from penstock.execution.process_launcher import ProcessStepLauncher
from penstock.execution.step_launcher import StepLauncher
from penstock.execution.step_order import StepOrder
from penstock.instance.instance import Instance
from penstock.testing import instance_for_test
from penstock.testing.step_launcher_contract import StepLauncherContract

_launches_steps: Callable[[Path], StepLauncher] = ProcessStepLauncher  # the type checker compares each method

pytestmark = pytest.mark.system


class TestProcesses(StepLauncherContract):
    @pytest.fixture
    def instance(self, tmp_path: Path) -> Iterator[Instance]:
        with instance_for_test(temp_dir=tmp_path / "home") as instance:
            yield instance

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "steps"

    @pytest.fixture
    def make_launcher(self, folder: Path) -> partial[ProcessStepLauncher]:
        return partial(ProcessStepLauncher, folder)

    def test_nothing_is_left_of_what_was_forgotten(
        self, instance: Instance, launcher: StepLauncher, order: Callable[..., StepOrder], folder: Path
    ) -> None:
        quick = order("quick")
        launcher.launch(quick)
        self.gone(instance, launcher, quick)
        assert [path.name for path in folder.iterdir()] == [quick.name]
        launcher.forget(quick)
        assert list(folder.iterdir()) == []

    def test_a_process_of_another_one_is_known_by_its_file(
        self,
        instance: Instance,
        launcher: StepLauncher,
        order: Callable[..., StepOrder],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        waiting = order("waiting")
        launcher.launch(waiting)
        self.there(instance, waiting)
        children = process_launcher._CHILDREN
        monkeypatch.setattr(process_launcher, "_CHILDREN", {})  # as another process knows of none
        assert launcher.check(waiting).running
        launcher.terminate(waiting, force=True)
        check = self.gone(instance, launcher, waiting)
        assert "known to the process alone that started it" in check.reason
        monkeypatch.setattr(process_launcher, "_CHILDREN", children)
        children[waiting.name].wait()  # the main thread of a killed process is a zombie before its last one is gone
        assert launcher.check(waiting).exit_code == -9
        monkeypatch.setattr(process_launcher, "_CHILDREN", {})
        assert launcher.check(waiting).exit_code == -9  # which stands in the file now
        monkeypatch.setattr(process_launcher, "_CHILDREN", children)

    def test_an_order_is_seen_by_its_process_alone(
        self, instance: Instance, launcher: StepLauncher, order: Callable[..., StepOrder]
    ) -> None:
        waiting = order("waiting")
        launcher.launch(waiting)
        self.there(instance, waiting)
        pid = launcher.check(waiting).what.split()[2]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert command[1:4] == [b"-P", b"-m", b"penstock.instance.step_program"]
        assert not any(waiting.run.run_id.encode() in part for part in command)

    def test_what_a_killed_launcher_left_is_swept_away_when_it_is_old(
        self,
        instance: Instance,
        make_launcher: partial[ProcessStepLauncher],
        order: Callable[..., StepOrder],
        folder: Path,
    ) -> None:
        dying, quick = order("dying"), order("quick")
        launcher = make_launcher()
        launcher.launch(dying)
        self.gone(instance, launcher, dying)
        make_launcher().launch(quick)
        assert (folder / dying.name).exists()
        old = (folder / dying.name).stat().st_mtime - 2 * 24 * 3600
        os.utime(folder / dying.name, (old, old))
        make_launcher().launch(order("quick", retry=1))
        assert not (folder / dying.name).exists()
        assert (folder / quick.name).exists()

    def test_a_folder_of_another_user_is_refused(
        self, order: Callable[..., StepOrder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        launcher = ProcessStepLauncher(tmp_path)
        own = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: own + 1)
        with pytest.raises(EnvironmentalError, match="belongs to another user"):
            launcher.launch(order("quick"))


def test_what_is_no_order_is_refused_with_an_exit_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "penstock.instance.step_program"], input=b"{}", capture_output=True, check=False
    )
    assert done.returncode == os.EX_USAGE
    assert b"no order for a step" in done.stderr
