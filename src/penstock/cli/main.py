"""`penstock`: the group of all commands; each command's module is loaded only when it is called for."""

from __future__ import annotations

import importlib
import sys

import click

from ..errors import PenstockError
from ..version import __version__

__all__ = ["cli", "main"]

# command -> (module beside this file, object, one line of help)
_COMMANDS = {
    "account": ("account", "account", "Accounts and their tokens, for a web server that others reach."),
    "asset": ("asset", "asset", "List and materialize assets."),
    "audit": ("audit", "audit", "Show what people did to the deployment."),
    "backfill": ("backfill", "backfill", "Ask for many partitions at once, and see to what was asked for."),
    "code-server": ("services", "code_server", "Serve one code location."),
    "daemon": ("services", "daemon", "Run the daemon: queue, schedules, sensors, run monitoring."),
    "definitions": ("definitions", "definitions", "Check that definitions load."),
    "dev": ("dev", "dev", "Start everything for local work: code servers, daemon and web server."),
    "instance": ("instance", "instance", "Look at the instance and tend it: its home, settings, database and pools."),
    "job": ("job", "job", "List, execute and launch jobs."),
    "migrate": ("migrate", "migrate", "Move here from Dagster: a project's code, and what has run."),
    "one-off": ("one_off", "one_off", "List and cancel runs that were asked for at an instant."),
    "run": ("run", "run", "List and show runs, read their logs, cancel them."),
    "schedule": ("automation", "schedule", "List schedules, turn them on and off, override them."),
    "sensor": ("automation", "sensor", "List sensors, turn them on and off, override them."),
    "webserver": ("services", "webserver", "Serve the web UI and the GraphQL API."),
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and help lines without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f".{module}", __package__), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][2]) for name in sorted(_COMMANDS)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(sorted(_COMMANDS))}."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "PENSTOCK_CLI"},
)
@click.version_option(__version__, "-v", "--version", prog_name="penstock")
@click.option(
    "--as",
    "actor",
    envvar="PENSTOCK_ACTOR",
    metavar="NAME",
    help="Who does it, for the record. Default: the user and the host.  [env: PENSTOCK_ACTOR]",
)
def cli(actor: str | None) -> None:
    """Penstock, a data orchestrator.

    Start with `penstock dev -f your_file.py` and open the address that it prints. The instance's files live in the
    folder that $PENSTOCK_HOME names.
    """


def main() -> None:
    """Run the command line; an error that Penstock raised on purpose is printed as one message, without a traceback."""
    try:
        cli()
    except PenstockError as error:
        click.secho("Error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
