"""Bad input, tried with real processes: each mistake gets a message with place, value and remedy; nothing is lost."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.records.run import RunStatus
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

GOOD = """
from penstock import Config, Definitions, job, op

class Greeting(Config):
    name: str
    times: int = 1

@op
def greet(config: Greeting) -> None:
    print(config.name * config.times)

@op
def nothing():
    pass

@job
def hello():
    greet()

@job
def plain():
    nothing()

defs = Definitions(jobs=[hello, plain])
"""
SYNTAX_ERROR = "from penstock import Definitions\n\ndef broken(:\n    pass\n"

WRONG_CONFIG = {"ops": {"greet": {"config": {"nam": "x", "times": "often"}}, "gret": {}}}
MISTAKES = {
    ("ops", "greet", "config"): 'required field "name"',
    ("ops", "greet", "config", "nam"): 'did you mean "name"?',
    ("ops", "greet", "config", "times"): "'often'",
    ("ops", "gret"): 'did you mean "greet"?',
}

LOCATIONS = """
query { workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus stale loadError { message className frames { file line code user } }
} } } }
"""
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on RunConfigValidationInvalid { errors { message path reason } }
  }
}
"""

LISTEN = b"""POST /live HTTP/1.1\r
Host: localhost\r
Content-Type: application/json\r
Content-Length: 42\r
\r
{"topics": ["runs", "queue", "locations"]}"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file with two jobs, one of which needs config."""
    path = tmp_path / "good.py"
    path.write_text(GOOD)
    return path


@pytest.fixture
def penstock(tmp_path: Path, home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command that is expected to end by itself."""

    def run(*arguments: str | Path, code: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "penstock.cli.main", *map(str, arguments)],
            env={**os.environ, "PENSTOCK_HOME": str(home)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert_none_of_ours(done.stdout + done.stderr)
        return done

    return run


def assert_none_of_ours(output: str) -> None:
    """No traceback is printed that leads through Penstock's own lines."""
    assert "Traceback" not in output
    assert not re.search(r'File ".*[/\\]penstock[/\\]\w+[/\\]', output), output


def entry(deployment: Deployment) -> Any:
    (found,) = deployment.graphql(LOCATIONS)["workspaceOrError"]["locationEntries"]
    return found


# -- user code --------------------------------------------------------------------------------------------------------


def test_a_syntax_error_is_told_by_its_line_and_its_correction_loads(
    start: Callable[..., Deployment], tmp_path: Path
) -> None:
    path = tmp_path / "project.py"
    path.write_text(SYNTAX_ERROR)
    dev = start("-f", str(path))
    output = "".join(dev.output)
    assert f'File "{path}", line 3' in output
    assert "def broken(:" in output
    assert "correct the code and it is loaded again" in output
    assert_none_of_ours(output)

    broken = entry(dev)
    assert broken["loadError"]["className"] == "SyntaxError"
    (frame,) = broken["loadError"]["frames"]
    assert (frame["file"], frame["line"], frame["code"], frame["user"]) == (str(path), 3, "def broken(:", True)

    path.write_text(GOOD)
    name = broken["name"]
    dev.wait(lambda: (found := dev.instance.storage.locations.get(name)) and found.status is LoadStatus.LOADED)
    assert entry(dev)["loadError"] is None
    run_id = dev.launch("plain", location=name)
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS


def test_a_missing_module_is_named_and_dev_comes_up(start: Callable[..., Deployment], tmp_path: Path) -> None:
    dev = start("-m", "no_such_module")
    output = "".join(dev.output)
    assert "There is no module no_such_module" in output
    assert str(tmp_path) in output  # where it was looked for
    assert "install it" in output
    assert_none_of_ours(output)
    assert "no_such_module" in entry(dev)["loadError"]["message"]


def test_a_missing_file_is_refused_and_its_neighbours_are_named(
    penstock: Callable[..., Any], good: Path, tmp_path: Path
) -> None:
    for command in (("dev",), ("definitions", "validate"), ("job", "list"), ("code-server",)):
        said = penstock(*command, "-f", "god.py", code=1).stderr
        assert str(tmp_path / "god.py") in said
        assert "good.py" in said


@pytest.mark.parametrize(
    "command", [("definitions", "validate"), ("job", "list"), ("asset", "list"), ("job", "execute")]
)
def test_commands_tell_broken_code_by_the_user_s_line(
    penstock: Callable[..., Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = tmp_path / "broken.py"
    path.write_text(SYNTAX_ERROR)
    said = penstock(*command, "-f", path, code=1).stderr
    assert f'File "{path}", line 3' in said
    assert "SyntaxError" in said


PARTITIONED = """
from penstock import DailyPartitionsDefinition, Definitions, asset

@asset(partitions_def=DailyPartitionsDefinition(start_date="2024-01-01"))
def orders():
    return 1

defs = Definitions(assets=[orders])
"""


@pytest.mark.parametrize(
    ("arguments", "place", "remedy"),
    [
        (("--select", "order"), '"order"', "There is no asset"),
        (("--select", "orders"), "orders", "name the partition"),
        (("--select", "orders", "--partition", "2023-12-31"), "'2023-12-31'", "the keys go from '2024-01-01'"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_runs(
    penstock: Callable[..., Any], tmp_path: Path, arguments: tuple[str, ...], place: str, remedy: str
) -> None:
    path = tmp_path / "partitioned.py"
    path.write_text(PARTITIONED)
    done = penstock("asset", "materialize", "-f", path, *arguments, code=1)
    assert place in done.stderr
    assert remedy in done.stderr
    assert done.stdout == ""


# -- run config -------------------------------------------------------------------------------------------------------


def test_all_mistakes_of_a_run_config_are_told_at_once_with_their_paths(
    start: Callable[..., Deployment], good: Path
) -> None:
    dev = start("-f", str(good))
    selector = {"jobName": "hello", "repositoryLocationName": entry(dev)["name"]}
    result = dev.graphql(LAUNCH, params={"selector": selector, "runConfigData": WRONG_CONFIG})["launchRun"]
    assert result["__typename"] == "RunConfigValidationInvalid"
    told = {tuple(error["path"]): error["message"] for error in result["errors"]}
    assert told.keys() == MISTAKES.keys()
    for path, words in MISTAKES.items():
        assert words in told[path]
    assert dev.instance.storage.runs.page(RunFilter(), limit=10) == []


def test_commands_tell_all_mistakes_of_a_run_config_at_once(
    penstock: Callable[..., Any], good: Path, tmp_path: Path
) -> None:
    said = penstock(
        "job", "execute", "-f", good, "-j", "hello", "--config-json", json.dumps(WRONG_CONFIG), code=1
    ).stderr
    for path, words in MISTAKES.items():
        assert f'"{".".join(path)}"' in said or f'"{".".join(path[:-1])}"' in said
        assert words in said
    config = tmp_path / "config.yaml"
    config.write_text("ops:\n  greet: [\n")
    assert (
        f"{config}:3:1: not valid YAML"
        in penstock("job", "execute", "-f", good, "-j", "hello", "-c", config, code=1).stderr
    )


# -- files of settings ------------------------------------------------------------------------------------------------


def test_unknown_settings_are_told_by_line_and_nearest_name(
    penstock: Callable[..., Any], good: Path, home: Path
) -> None:
    home.mkdir()
    (home / "penstock.yaml").write_text("run_que:\n  max_concurrent_runs: 3\nrun_monitoring:\n  start_timeout: 5\n")
    for command in (("dev", "-f", good), ("instance", "info"), ("daemon",), ("run", "list")):
        said = penstock(*command, code=1).stderr
        assert "2 mistakes" in said
        assert re.search(r'penstock\.yaml:1:1: .*"run_que".*did you mean "run_queue"\?', said)
        assert re.search(r'penstock\.yaml:4:3: .*"start_timeout".*did you mean "start_timeout_seconds"\?', said)


def test_unknown_keys_of_a_workspace_are_told_by_line_and_nearest_name(
    penstock: Callable[..., Any], good: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(
        "load_from:\n  - python_fil: good.py\n  - python_file:\n      relative_path: good.py\n      locaton_name: x\n"
    )
    said = penstock("dev", code=1).stderr
    assert "2 mistakes" in said
    assert re.search(r'workspace\.yaml:2:5: .*"python_fil".*did you mean "python_file"\?', said)
    assert re.search(r'workspace\.yaml:5:7: .*"locaton_name".*did you mean "location_name"\?', said)


def test_a_component_that_is_not_there_is_told_before_anything_starts(
    penstock: Callable[..., Any], good: Path, home: Path
) -> None:
    home.mkdir()
    (home / "penstock.yaml").write_text("run_launcher: {module: our_launchers, class: Cluster}\n")
    done = penstock("dev", "-f", good, code=1)
    assert "run_launcher names the module our_launchers" in done.stderr
    assert "Install it beside Penstock, or correct penstock.yaml." in done.stderr
    assert "ready" not in done.stdout


# -- the machine ------------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_told_with_another_one(penstock: Callable[..., Any], good: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (("dev", "-f", good), ("webserver",)):
            said = penstock(*command, "--port", port, code=1).stderr
            assert f"Port {port} on 127.0.0.1 is taken" in said
            suggested = re.search(r"take another port, for example (\d+)", said)
            assert suggested is not None
            assert int(suggested[1]) != port


def test_a_home_that_cannot_be_made_is_told(penstock: Callable[..., Any], good: Path, tmp_path: Path) -> None:
    (tmp_path / "a_file").touch()
    below = tmp_path / "a_file" / "home"
    for command in (("dev", "-f", good), ("run", "list"), ("instance", "info")):
        said = penstock(*command, "--home", below, code=1).stderr
        assert f"The home {below} cannot be made" in said
        assert "Name another folder by PENSTOCK_HOME or --home." in said


def test_a_browser_that_vanishes_in_the_middle_of_a_live_stream_disturbs_nobody(
    start: Callable[..., Deployment], good: Path
) -> None:
    dev = start("-f", str(good))
    before = len(dev.output)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", dev.port), timeout=30) as browser:
            # Closing now sends a reset instead of a good-bye, as when a machine goes away.
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            browser.sendall(LISTEN)
            said = b""
            while b"event: hello" not in said:
                said += browser.recv(4096)
    run_id = dev.launch("plain", location=entry(dev)["name"])  # wakes every stream
    assert dev.wait_until_finished(run_id).status is RunStatus.SUCCESS
    assert dev.graphql("{ version }")["version"]
    assert dev.stop() == 0
    assert [line for line in dev.output[before:] if line != "Stopping ...\n"] == []


# -- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "place", "remedy"),
    [
        (("devv",), "'devv'", "Did you mean 'dev'?"),
        (("run", "lst"), "'lst'", "Did you mean 'list'?"),
        (("dev", "--prot", "3000"), "--prot", "--port"),
        (("dev", "--port", "65536"), "'--port'", "1<=x<=65535"),
        (("dev", "--log-level", "loud"), "'loud'", "'debug'"),
    ],
)
def test_an_unknown_command_or_option_is_told_with_the_nearest(
    penstock: Callable[..., Any], arguments: tuple[str, ...], place: str, remedy: str
) -> None:
    said = penstock(*arguments, code=2).stderr
    assert place in said
    assert remedy in said


@pytest.mark.parametrize(
    ("arguments", "place", "remedy"),
    [
        (("dev",), "has no workspace.yaml", "Name a file with -f"),
        (("run", "show", "nope"), "'nope'", "penstock run list"),
        (("run", "cancel", "nope"), "'nope'", "penstock run list"),
        (("run", "list", "--status", "FAILD"), "'FAILD'", "FAILURE"),
        (("job", "launch", "nope"), "'nope'", "is `penstock dev` running on it?"),
        (("schedule", "start", "nope"), "'nope'", "penstock schedule list"),
        (("sensor", "stop", "nope"), "'nope'", "penstock sensor list"),
        (("webserver", "--host", "0.0.0.0"), "0.0.0.0", "--insecure-allow-anonymous"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_the_way_to_those_that_are(
    penstock: Callable[..., Any], arguments: tuple[str, ...], place: str, remedy: str
) -> None:
    said = penstock(*arguments, code=1).stderr
    assert place in said
    assert remedy in said


def test_no_instance_is_told_with_the_way_to_name_one(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PENSTOCK_HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "penstock.cli.main", "run", "list"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "PENSTOCK_HOME" in done.stderr
    assert "--home" in done.stderr
    assert_none_of_ours(done.stderr)
