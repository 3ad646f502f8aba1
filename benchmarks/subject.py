"""The two that are measured: Penstock as it is here, and the peer in a scratch environment that is made once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRATCH = ROOT / ".make" / "peer"
PEER_VERSION = "1.13.28"
WORKLOADS = Path(__file__).parent / "workloads"


@dataclass
class Subject:
    """One of the two: its interpreter, the name of its module, and how its services are started."""

    name: str
    module: str
    python: Path
    dev: list[str]
    home_variable: str
    immediate_coordinator: tuple[str, str]
    homes: list[Path] = field(default_factory=list)

    def environment(self, *, immediate: bool = False) -> dict[str, str]:
        """Environment variables with a fresh home of its own; `immediate` launches runs without the queue."""
        home = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        self.homes.append(home)
        module, cls = self.immediate_coordinator
        coordinator = f"run_coordinator: {{module: {module}, class: {cls}}}\n" if immediate else ""
        if self.name == "peer":
            (home / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{coordinator}")
        else:
            (home / "penstock.yaml").write_text(coordinator)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PENSTOCK", "DAGSTER"))}
        return {**kept, self.home_variable: str(home), "PYTHONDONTWRITEBYTECODE": "", "DAGSTER_DISABLE_TELEMETRY": "1"}

    def clean(self) -> None:
        """Remove every home."""
        for home in self.homes:
            shutil.rmtree(home, ignore_errors=True)


def subjects() -> tuple[Subject, Subject]:
    """Penstock and the peer, both ready to be started."""
    peer_python = SCRATCH / "bin" / "python"
    if not peer_python.exists():
        print(f"making a scratch environment with the peer ({PEER_VERSION}) ...", flush=True)
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(SCRATCH)], check=True)
        packages = [f"dagster=={PEER_VERSION}", f"dagster-webserver=={PEER_VERSION}"]
        subprocess.run([uv, "pip", "install", "-q", "--python", str(peer_python), *packages], check=True)
    here = Path(sys.executable)
    return (
        Subject(
            name="penstock",
            module="penstock",
            python=here,
            dev=[str(here), "-m", "penstock.cli.main", "dev"],
            home_variable="PENSTOCK_HOME",
            immediate_coordinator=("penstock.launch.coordinators", "ImmediateRunCoordinator"),
        ),
        Subject(
            name="peer",
            module="dagster",
            python=peer_python,
            dev=[str(SCRATCH / "bin" / "dagster"), "dev"],
            home_variable="DAGSTER_HOME",
            immediate_coordinator=("dagster._core.run_coordinator", "DefaultRunCoordinator"),
        ),
    )
