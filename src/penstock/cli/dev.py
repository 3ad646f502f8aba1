"""`penstock dev`: everything for local work in one command, ended by Ctrl-C."""

from __future__ import annotations

import fcntl
import importlib
import logging
import os
import select
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import InstanceInUseError
from .options import home_option, listen_options, origins, target_options

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..locations.keeper import Command
    from ..locations.origin import LocationOrigin
    from ..storage.protocols import StoredLocation

__all__ = ["dev"]

_HOME_HERE = ".penstock"
_SHARED = ("penstock.instance.code_server", "penstock.daemon.process")
"""What is loaded before services are forked. What the web server needs besides, it loads itself: of pages that are
written to, two processes that share them have one each."""


@click.command()
@target_options(many=True)
@home_option
@listen_options
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What the services write to the terminal.",
)
def dev(home: Path | None, host: str, port: int, log_level: str, **target: Any) -> None:
    """Start everything for local work: code servers, daemon and web server.

    Code is loaded anew whenever a file changes. The instance lives in the folder that PENSTOCK_HOME names, or in
    .penstock here. Ctrl-C ends every process, runs included.
    """
    from ..instance.instance import Instance, prepare_home
    from ..locations.host import LocationHost
    from ..locations.service_process import forked_where_safe
    from ..locations.stop_signal import stop_signal
    from ..web.listen import bind
    from .main import main

    began = time.time()
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(message)s", stream=sys.stderr)
    stopped = stop_signal()
    wanted = origins(**target)
    home = prepare_home(home or Path.cwd() / _HOME_HERE)
    with ExitStack() as cleanup:
        cleanup.enter_context(_only_one(home))
        bind(host, port).close()
        instance = cleanup.enter_context(Instance.open(home))
        instance.coordinator  # noqa: B018 - a component that cannot be made is told now, not by services again and again
        click.echo(f"Penstock keeps this instance in {home}")

        for module in _SHARED:
            importlib.import_module(module)
        processes = LocationHost(
            home,
            wanted,
            watch=True,
            kill_workers=True,
            services={
                "the daemon": _service("daemon", "--home", str(home), "--log-level", log_level),
                "the web server": _service(
                    *("webserver", "--dev", "--home", str(home)),
                    *("--host", host, "--port", str(port), "--log-level", log_level),
                ),
            },
            start=forked_where_safe(main),
        )
        processes.start()
        cleanup.callback(processes.stop)

        if _wait_until_ready(instance, wanted, began, stopped):
            seconds = time.time() - began
            click.secho(f"Penstock is ready at http://{host}:{port}", fg="green", bold=True, nl=False)
            click.echo(f" (after {seconds:.1f} s). Press Ctrl-C to stop.")
            select.select([stopped], [], [])
        click.echo("Stopping ...")


def _service(*words: str) -> Command:
    def command(lifeline: int) -> Sequence[str]:
        return (*words, "--lifeline", str(lifeline))

    return command


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the home's lock; a second `penstock dev` on it is refused."""
    with (home / "dev.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise InstanceInUseError(
                f"Another `penstock dev` (process {lock.read().strip() or 'unknown'}) works on {home}. "
                "Stop it, or give this one a folder of its own with --home."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _wait_until_ready(instance: Instance, wanted: Sequence[LocationOrigin], began: float, stopped: int) -> bool:
    """Wait for the web server and for each location's load, telling what is loaded; False when told to stop."""
    from ..records.wire import LoadStatus

    pending = {origin.name: origin for origin in wanted if origin.target is not None}
    for origin in pending.values():
        click.echo(f"Loading {origin.name} ({origin.words()}) ...")
    served = False
    subscription = instance.storage.notifier.subscribe()
    try:
        while pending or not served:
            for name in list(pending):
                location = instance.storage.locations.get(name)
                if location is None or location.updated < began or location.status is LoadStatus.LOADING:
                    continue
                del pending[name]
                _tell_load(location)
            seen = instance.storage.leases.processes(seen_after=began)
            served = any(process.kind == "webserver" and process.started >= began for process in seen)
            if pending or not served:
                # Half a second is a safety net only: changes are pushed.
                readable, _, _ = select.select([stopped, subscription.fileno()], [], [], 0.5)
                if stopped in readable:
                    return False
                subscription.wait(0)
        return True
    finally:
        subscription.close()


def _tell_load(location: StoredLocation) -> None:
    """Say what to do about a load that failed; its code server has written the error, or how long the load took."""
    from ..records.wire import LoadStatus

    if location.status is LoadStatus.FAILED:
        click.secho(f"{location.name} does not load", fg="red", nl=False)
        click.echo(" (see above); correct the code and it is loaded again by itself.")
