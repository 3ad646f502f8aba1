"""`penstock instance export` and `import`: files are made whole or not at all, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.instance import instance
from penstock.errors import ArchiveError
from penstock.instance.instance import Instance
from penstock.records.event import RunCanceled
from penstock.testing.storage_contract.builders import NOW, queued_run


def said(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(instance, [*arguments, "--home", str(home)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a run that has ended, and one that has not."""
    with Instance.open(tmp_path / "home") as opened:
        ended, _ = queued_run(opened.storage), queued_run(opened.storage)
        opened.storage.runs.record(ended.run_id, [RunCanceled()], now=NOW)
        opened.storage.slots.set_limit("db", 2)
    return tmp_path / "home"


def test_there_and_back(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "history.gz"
    told = said(home, "export", str(file))
    assert f"Wrote 1 run, 2 events, 1 pool to {file} ({file.stat().st_size:,} bytes).\n" in told
    assert "Left out: 1 run that has not ended.\n" in told
    other = tmp_path / "other"
    has = "The archive has 1 run, 2 events, 1 pool; new here: "
    assert said(other, "import", str(file)) == f"{has}1 run, 2 events, 1 pool.\n"
    assert said(other, "import", str(file)) == f"{has}nothing.\n"


def test_a_part_by_time_and_job(home: Path, tmp_path: Path) -> None:
    assert "Wrote nothing to" in said(home, "export", str(tmp_path / "a"), "--job", "other")
    assert "Wrote 1 run, 2 events" in said(home, "export", str(tmp_path / "b"), "--job", "nightly")
    assert "Wrote 1 pool to" in said(home, "export", str(tmp_path / "c"), "--since", "2030-01-01")


def test_a_file_is_replaced_on_demand_alone_and_left_whole(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "history.gz"
    file.write_text("mine")
    with pytest.raises(ArchiveError, match="is there already; name another file, or give --force"):
        said(home, "export", str(file))
    assert file.read_text() == "mine"
    said(home, "export", str(file), "--force")
    with pytest.raises(ArchiveError, match="cannot be written: No such file or directory"):
        said(home, "export", str(tmp_path / "no" / "file"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.gz", "home"]
