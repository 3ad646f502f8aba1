"""What `penstock run show` prints of a run's steps."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from penstock.cli.run import run
from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.records.event import Event, Fact, RunStart, RunStarting, RunSuccess, StepSkipped, StepStart, StepSuccess
from penstock.records.run import Run
from penstock.records.step_figures import StepFigures
from penstock.storage.protocols import NewRun


def test_show_prints_where_the_time_of_each_step_went(tmp_path: Path) -> None:
    run_id = new_run_id()
    figures = StepFigures(
        queued=0.5, starting=0.031, loading=0.0, computing=1.25, storing=0.004, cpu=1.2, peak_memory=84_260_000
    )
    facts: list[tuple[Fact, str | None]] = [
        (RunStart(), None),
        (StepStart(), "load"),
        (StepSuccess(seconds=1.3, figures=figures), "load"),
        (StepSkipped(reason="no rows"), "extra"),
        (RunSuccess(), None),
    ]
    with Instance.open(tmp_path) as instance:
        instance.storage.runs.create(
            [NewRun(run=Run(run_id=run_id, location="here", job="work"), facts=(RunStarting(),))]
        )
        events = [Event(time=10.0 + n, fact=fact, step_key=step, seq=n) for n, (fact, step) in enumerate(facts, 1)]
        instance.storage.events.append(run_id, 0, events, now=20.0)
    shown = CliRunner().invoke(run, ["show", run_id, "--home", str(tmp_path), "--no-logs"])
    assert shown.exit_code == 0, shown.output
    headers, load, extra = (line.split() for line in shown.output.splitlines() if line[:4] in ("STEP", "load", "extr"))
    assert headers == ["STEP", "STATUS", "TRIES", "QUEUE", "START", "LOAD", "COMPUTE", "STORE", "CPU", "PEAK", "MEMORY"]
    assert load == ["load", "SUCCESS", "1", "0.500s", "0.031s", "0.000s", "1.250s", "0.004s", "1.200s", "84.3", "MB"]
    assert extra == ["extra", "SKIPPED", "0"]
