"""Options that several commands share, and what they stand for: a target of user code, an instance."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import InvalidRunConfigError, LocationLoadError, SettingsError
from ..wording import kind_of

if TYPE_CHECKING:
    from ..definitions.definitions import Definitions
    from ..instance.instance import Instance
    from ..locations.origin import LocationOrigin
    from ..records.act import ActKind
    from ..records.automation import By

__all__ = [
    "Instant",
    "caller",
    "config_options",
    "home_option",
    "listen_options",
    "load_origin",
    "load_target",
    "load_targets",
    "naming_places",
    "note_act",
    "open_for_a_service",
    "open_instance",
    "open_instance_as_it_is",
    "origins",
    "parse_tags",
    "read_run_config",
    "target_options",
    "with_caller",
]

Command = TypeVar("Command", bound=Callable[..., Any])


def _several(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def target_options(*, many: bool) -> Callable[[Command], Command]:
    """Options that name user code: `-f`, `-m`, `--package-name`, `-a`, `-d`, and `-w` where there may be many."""
    options = [
        click.option(
            "--python-file",
            "-f",
            "python_files",
            multiple=True,
            type=click.Path(path_type=Path),
            help="A file with definitions." + (" May be given more than once." if many else ""),
        ),
        click.option("--module-name", "-m", "modules", multiple=True, help="A module with definitions."),
        click.option("--package-name", "packages", multiple=True, help="A package with definitions."),
        click.option("--attribute", "-a", help="The definitions object, or a function that gives it."),
        click.option(
            "--working-directory",
            "-d",
            type=click.Path(path_type=Path),
            help="The folder that imports start from. Default: the current one.",
        ),
    ]
    if many:
        options.append(
            click.option(
                "--workspace",
                "-w",
                "workspaces",
                multiple=True,
                type=click.Path(path_type=Path),
                help="A workspace file. Default: workspace.yaml in the current folder, if there is one.",
            )
        )
    return _several(*options)


home_option = click.option(
    "--home",
    envvar="PENSTOCK_HOME",
    type=click.Path(path_type=Path, file_okay=False),
    help="The instance's folder.  [env: PENSTOCK_HOME]",
)

listen_options = _several(
    click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
    click.option(
        "--port", "-p", type=click.IntRange(1, 65535), default=3000, show_default=True, help="The port to listen on."
    ),
)

config_options = _several(
    click.option(
        "--config",
        "-c",
        "config_files",
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="A YAML file of run config; of several, the first that sets a value wins.",
    ),
    click.option("--config-json", help="Run config as JSON."),
    click.option("--tags", "tags_json", help="Tags of the run, as a JSON object of strings."),
)


def origins(
    python_files: tuple[Path, ...],
    modules: tuple[str, ...],
    packages: tuple[str, ...],
    attribute: str | None,
    working_directory: Path | None,
    workspaces: tuple[Path, ...] = (),
) -> tuple[LocationOrigin, ...]:
    """The code locations that the options name, or those of the workspace file here."""
    from ..locations.workspace import origins_from_options

    return origins_from_options(
        python_files=python_files,
        modules=modules,
        packages=packages,
        attribute=attribute,
        working_directory=working_directory,
        workspaces=workspaces,
    )


def load_origin(origin: LocationOrigin) -> Definitions:
    """The definitions of a code location of this machine, loaded in this process.

    Raises:
        LocationLoadError: The code does not load; the text ends with the user's own lines and error.
    """
    from ..definitions.load import load_definitions
    from ..locations.user_first import describe_user_first

    assert origin.target is not None
    try:
        return load_definitions(origin.target)
    except LocationLoadError:
        raise
    except (Exception, SystemExit) as error:  # user code may raise anything; all of it is told
        raise LocationLoadError(f"{origin.name} does not load:\n{describe_user_first(error).render()}") from error


def load_targets(**options: Any) -> Iterator[tuple[str, Definitions]]:
    """The names and definitions of the code locations that the options name, each loaded in this process."""
    for origin in origins(**options):
        if origin.target is not None:
            yield origin.name, load_origin(origin)


def load_target(**options: Any) -> tuple[str, Definitions]:
    """The name and the definitions of the one code location that the options name, loaded in this process."""
    local = [origin for origin in origins(**options) if origin.target is not None]
    if len(local) != 1:
        names = ", ".join(origin.name for origin in local) or "none"
        raise SettingsError(
            f"This command works on one code location, and the options name {names}. Give one -f or -m."
        )
    (origin,) = local
    return origin.name, load_origin(origin)


def open_instance(home: Path | None, *, reason: str | None = None) -> Instance:
    """The instance in `home`; without one an error that says what to do.

    What the command changes from now on is written down as an act of whoever calls it.

    Args:
        home: The folder.
        reason: Why, in words.
    """
    from ..storage.acting import acting

    instance = open_for_a_service(home)
    context = click.get_current_context()
    context.with_resource(acting(caller(reason), now=instance.clock.now()))
    return instance


def open_for_a_service(home: Path | None) -> Instance:
    """The instance in `home`, for a command whose changes nobody makes by hand, or that stores its one act itself."""
    from ..instance.instance import Instance

    return Instance.open(_named(home))


def caller(reason: str | None = None) -> By:
    """Who calls the command: the name that `--as` gives, or the user and the host."""
    from ..records.automation import By

    given = click.get_current_context().find_root().params.get("actor")
    return By(actor=given or _user_at_host(), reason=reason, via="command")


def with_caller(tags: dict[str, str]) -> dict[str, str]:
    """The tags of a run that the command launches, with the name of who calls it."""
    from ..records.run import Tag

    name = caller().actor
    assert name is not None
    return {**tags, Tag.USER: name}


def note_act(instance: Instance, kind: ActKind, *, after: str) -> None:
    """Store an act of whoever calls the command upon the whole instance."""
    from ..records.act import INSTANCE
    from ..storage.acting import act_of, acting

    with acting(caller(), now=instance.clock.now()):
        instance.storage.acts.add(act_of(kind, INSTANCE, after=after))


def _user_at_host() -> str:
    import os
    import pwd
    import socket

    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, often
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def open_instance_as_it_is(home: Path | None) -> Instance:
    """The instance in `home`, whose database is left as it is, of an older version perhaps."""
    from ..instance.instance import Instance, prepare_home
    from ..instance.settings_file import read_settings

    folder = prepare_home(_named(home))
    return Instance.compose(folder, read_settings(folder))


def _named(home: Path | None) -> Path:
    if home is None:
        raise SettingsError(
            "Which instance? Set PENSTOCK_HOME (or give --home) to its folder; "
            "`penstock dev` prints the folder that it uses."
        )
    return home


def read_run_config(config_files: tuple[Path, ...], config_json: str | None) -> dict[str, Any]:
    """The run config that the options give: files merged, the first that sets a value wins; or JSON."""
    if config_files and config_json:
        raise SettingsError("Give run config either as files (-c) or as --config-json, not both.")
    if config_json:
        return _object(config_json, "--config-json")
    merged: dict[str, Any] = {}
    for path in reversed(config_files):
        from ..config.yaml_document import merge_config
        from ..locations.yaml_document import read_yaml

        loaded = read_yaml(path).value
        if not isinstance(loaded, dict | None):
            raise SettingsError(f"{path} must hold a mapping, not {kind_of(loaded)}.")
        merged = merge_config(merged, loaded or {})
    return merged


@contextmanager
def naming_places(config_files: tuple[Path, ...]) -> Iterator[None]:
    """Let the mistakes of a run config name the file, line and column that they are at.

    Raises:
        InvalidRunConfigError: As it was raised inside, with the places.
    """
    try:
        yield
    except InvalidRunConfigError as error:
        if not config_files:
            raise
        from ..locations.yaml_document import read_yaml

        documents = [read_yaml(path) for path in config_files]
        lines = [str(error).partition("\n")[0]]
        for problem in error.problems:
            # Of several files that hold the key, the first one counts, as for its value.
            found = max(documents, key=lambda document: document.depth(problem.path))
            place = f"{found.place(problem.path)}: " if found.depth(problem.path) else ""
            lines.append(f"  - {place}{problem.message}")
        raise InvalidRunConfigError("\n".join(lines), problems=error.problems) from error


class Instant(click.ParamType[float]):
    """A time of day as people write it, as seconds since the epoch; without an offset it is one of this machine."""

    name = "time"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return datetime.datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write it like 2026-11-30T22:00 or 2026-11-30T22:00+01:00.", param, ctx)


def parse_tags(tags_json: str | None) -> dict[str, str]:
    """Tags from the JSON text of an object of strings."""
    tags = _object(tags_json, "--tags") if tags_json else {}
    for key, value in tags.items():
        if not isinstance(value, str):
            raise SettingsError(f"--tags: the value of {key!r} must be a string, not {value!r}.")
    return tags


def _object(text: str, option: str) -> dict[str, Any]:
    import json

    try:
        value = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{option} is not valid JSON: {error}; see to its quotes and brackets.") from error
    if not isinstance(value, dict):
        raise SettingsError(f"{option} must be a JSON object, not {text[:40]!r}.")
    return value
