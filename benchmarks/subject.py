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
PEER_POSTGRES_VERSION = "0.29.27"
WORKLOADS = Path(__file__).parent / "workloads"


@dataclass
class Subject:
    """One of the two: its interpreter, the name of its module, and how its services are started."""

    name: str
    module: str
    python: Path
    dev: list[str]
    webserver: list[str]
    home_variable: str
    immediate_coordinator: tuple[str, str]
    homes: list[Path] = field(default_factory=list)

    def environment(self, settings: str = "", *, immediate: bool = False) -> dict[str, str]:
        """Environment variables with a fresh home of its own; `immediate` launches runs without the queue."""
        module, cls = self.immediate_coordinator
        more = f"run_coordinator: {{module: {module}, class: {cls}}}\n" if immediate else ""
        return self.at_home(self.fresh_home(), settings + more)

    def fresh_home(self) -> Path:
        """An empty folder, which `clean` removes."""
        home = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        self.homes.append(home)
        return home

    def at_home(self, home: Path, settings: str) -> dict[str, str]:
        """Environment variables that name a home, which is given these settings."""
        if self.name == "peer":
            # A busy machine may take long to load many assets.
            patience = "code_servers: {local_startup_timeout: 900}\n"
            (home / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\n{patience}{settings}")
        else:
            (home / "penstock.yaml").write_text(settings)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PENSTOCK", "DAGSTER"))}
        return {**kept, self.home_variable: str(home), "PYTHONDONTWRITEBYTECODE": "", "DAGSTER_DISABLE_TELEMETRY": "1"}

    def clean(self) -> None:
        """Remove every home."""
        for home in self.homes:
            shutil.rmtree(home, ignore_errors=True)


def subjects() -> tuple[Subject, Subject]:
    """Penstock and the peer, both ready to be started."""
    peer_python = SCRATCH / "bin" / "python"
    stamp, versions = SCRATCH / "versions", f"{PEER_VERSION} {PEER_POSTGRES_VERSION}"
    if not stamp.exists() or stamp.read_text() != versions:
        print(f"making a scratch environment with the peer ({PEER_VERSION}) ...", flush=True)
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, str(SCRATCH)], check=True)
        install = [uv, "pip", "install", "-q", "--python", str(peer_python)]
        subprocess.run([*install, f"dagster=={PEER_VERSION}", f"dagster-webserver=={PEER_VERSION}"], check=True)
        # The newest that there is wants the patch release before; nothing but that number differs.
        postgres = [f"dagster-postgres=={PEER_POSTGRES_VERSION}", "psycopg2-binary"]
        subprocess.run([*install, "--no-deps", *postgres], check=True)
        stamp.write_text(versions)
    here = Path(sys.executable)
    return (
        Subject(
            name="penstock",
            module="penstock",
            python=here,
            dev=[str(here), "-m", "penstock.cli.main", "dev"],
            webserver=[str(here), "-m", "penstock.cli.main", "webserver"],
            home_variable="PENSTOCK_HOME",
            immediate_coordinator=("penstock.launch.coordinators", "ImmediateRunCoordinator"),
        ),
        Subject(
            name="peer",
            module="dagster",
            python=peer_python,
            dev=[str(SCRATCH / "bin" / "dagster"), "dev"],
            webserver=[str(SCRATCH / "bin" / "dagster-webserver")],
            home_variable="DAGSTER_HOME",
            immediate_coordinator=("dagster._core.run_coordinator", "DefaultRunCoordinator"),
        ),
    )
