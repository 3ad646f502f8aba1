"""`penstock webserver`, `penstock daemon`, `penstock code-server`: the long-running services, one process each."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from .options import home_option, listen_options, open_for_a_service, origins, target_options

__all__ = ["code_server", "daemon", "webserver"]

# Given by whoever starts a service as a child: a pipe whose other end the starter holds. When it closes, we stop.
_lifeline = click.option("--lifeline", type=int, hidden=True)
_log_level = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What is written to stderr.",
)


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr, force=True
    )


def _tell_ready(lifeline: int | None, text: str) -> None:
    if lifeline is None:
        click.echo(text)


@contextlib.contextmanager
def _code_servers(home: Path, target: dict[str, Any]) -> Iterator[None]:
    """Code servers for the local code locations that the options name, for as long as the service runs."""
    from ..locations.host import LocationHost

    if not any(target.values()):
        yield  # the instance knows the locations that others serve
        return
    host = LocationHost(home, origins(**target))
    host.start()
    try:
        yield
    finally:
        host.stop()


@click.command()
@target_options(many=True)
@home_option
@listen_options
@click.option(
    "--insecure-allow-anonymous",
    is_flag=True,
    help="Listen on an address that others reach, although nobody has to log in.",
)
@click.option(
    "--require-token",
    is_flag=True,
    help="Answer to those alone who show a token of an account: see `penstock account`.",
)
@click.option("--dev", "dev_mode", is_flag=True, hidden=True)
@_log_level
@_lifeline
def webserver(
    home: Path | None,
    host: str,
    port: int,
    insecure_allow_anonymous: bool,
    require_token: bool,
    dev_mode: bool,
    log_level: str,
    lifeline: int | None,
    **target: Any,
) -> None:
    """Serve the web UI and the GraphQL API. Any number may run on one instance.

    With code named (-f, -m, -w) it also starts the code servers; without, it shows the locations that others serve.
    """
    from ..web.server import serve

    _log_to_stderr(log_level)
    with open_for_a_service(home) as instance:
        assert instance.home is not None
        with _code_servers(instance.home, target):
            serve(
                instance,
                host=host,
                port=port,
                mode="dev" if dev_mode else "server",
                insecure_allow_anonymous=insecure_allow_anonymous,
                require_token=require_token,
                lifeline=lifeline,
                on_ready=lambda: _tell_ready(lifeline, f"Penstock's web server is ready at http://{host}:{port}"),
            )


@click.command()
@target_options(many=True)
@home_option
@_log_level
@_lifeline
def daemon(home: Path | None, log_level: str, lifeline: int | None, **target: Any) -> None:
    """Run the daemon: run queue, schedules, sensors, run monitoring. Any number may run on one instance.

    With code named (-f, -m, -w) it also starts the code servers; without, it works with those that others serve.
    """
    from ..daemon.process import serve

    _log_to_stderr(log_level)
    with open_for_a_service(home) as instance:
        assert instance.home is not None
        with _code_servers(instance.home, target):
            serve(instance, lifeline=lifeline, on_ready=lambda: _tell_ready(lifeline, "Penstock's daemon is ready."))


@click.command(name="code-server")
@target_options(many=False)
@home_option
@click.option("--location-name", help="The location's name. Default: that of the file, module or package.")
@click.option("--executable", help="The Python interpreter to load the code with. Default: this one.")
@click.option("--socket", "socket_path", type=click.Path(path_type=Path), help="Listen on this Unix socket.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on, without --socket.")
@click.option(
    "--port",
    "-p",
    type=click.IntRange(0, 65535),
    default=0,
    help="The port to listen on, without --socket. Default: one that is free.",
)
@click.option("--advertise", help="The address that others use, where it is not the one listened on.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with the token that callers must show.  [env: PENSTOCK_CODE_SERVER_TOKEN holds the token itself]",
)
@click.option("--watch", is_flag=True, help="Load the code anew when one of its files changes.")
@click.option("--kill-workers-on-exit", "kill_workers", is_flag=True, help="End runs with this server.")
@_lifeline
def code_server(
    home: Path | None,
    location_name: str | None,
    executable: str | None,
    socket_path: Path | None,
    host: str,
    port: int,
    advertise: str | None,
    token_file: Path | None,
    watch: bool,
    kill_workers: bool,
    lifeline: int | None,
    **target: Any,
) -> None:
    """Serve one code location: load its code once, fork evaluations and run workers from it."""
    import msgspec

    from ..errors import SettingsError
    from ..instance.code_server import serve_code_location

    found = origins(**target)
    if len(found) != 1:
        raise SettingsError("A code server serves one code location; give one -f, -m or --package-name.")
    origin = msgspec.structs.replace(found[0], name=location_name or found[0].name, executable=executable)
    with open_for_a_service(home) as instance:
        serve_code_location(
            instance,
            origin,
            socket_path=socket_path,
            host=host,
            port=port,
            advertise=advertise,
            token_file=token_file,
            watch=watch,
            kill_workers=kill_workers,
            lifeline=lifeline,
            ready=lambda address: _tell_ready(lifeline, f"The code server of {origin.name} is ready at {address}"),
        )
