"""Commands run with Pipes: what they report, print, and how they fail."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetSpec,
    MaterializeResult,
    OpExecutionContext,
    PipesClientCompletedInvocation,
    PipesEnvContextInjector,
    PipesSubprocessClient,
    PipesTempFileMessageReader,
    asset,
    asset_check,
    materialize,
    multi_asset,
    open_pipes_session,
)
from penstock.errors import SubprocessError, UserCodeError
from penstock.records.event import AssetCheckEvaluation, AssetMaterialization

from .conftest import InStep

HEAD = "import sys\nfrom penstock_pipes import open_penstock_pipes\nwith open_penstock_pipes() as pipes:\n    "

BY_HAND = """
import base64, json, os, zlib
def param(name):
    return json.loads(zlib.decompress(base64.b64decode(os.environ[name])))
context = json.load(open(param("DAGSTER_PIPES_CONTEXT")["path"]))
with open(param("DAGSTER_PIPES_MESSAGES")["path"], "a") as file:
    def send(method, **params):
        file.write(json.dumps({"__dagster_pipes_version": "0.1", "method": method, "params": params}) + "\\n")
    send("opened", extras={})
    send("report_asset_materialization", asset_key=context["asset_keys"][0], data_version="v9",
        metadata={"rows": {"type": "int", "raw_value": 3}})
    send("closed")
"""


def script(text: str) -> list[str]:
    """A command that runs a script."""
    return [sys.executable, "-c", text]


def told_of(result: Any) -> list[AssetMaterialization | AssetCheckEvaluation]:
    return [e.fact for e in result.all_events if isinstance(e.fact, AssetMaterialization | AssetCheckEvaluation)]


def test_an_asset_made_by_a_script_with_its_check(capfd: pytest.CaptureFixture[str]) -> None:
    body = (
        "print('out'); print('err', file=sys.stderr); pipes.log.info('hi');"
        "pipes.report_asset_materialization({'rows': pipes.get_extra('n')}, 'v1');"
        "pipes.report_asset_check('complete', True, metadata={'share': 0.5})"
    )

    @asset(check_specs=[AssetCheckSpec("complete", asset="orders")])
    def orders(context: AssetExecutionContext, client: PipesSubprocessClient) -> MaterializeResult[Any]:
        done = client.run(context=context, command=script(HEAD + body), extras={"n": 7})
        assert done.metadata == {}
        return done.get_materialize_result()

    result = materialize([orders], resources={"client": PipesSubprocessClient()})
    made, checked = told_of(result)
    assert isinstance(made, AssetMaterialization)
    assert made.metadata["rows"].value == 7
    assert made.tags["penstock/data_version"] == "v1"
    assert isinstance(checked, AssetCheckEvaluation)
    assert (checked.check, checked.passed, checked.metadata["share"].value) == ("complete", True, 0.5)
    assert capfd.readouterr() == ("out\n", "err\n")


def test_a_process_that_speaks_the_wire_by_hand() -> None:
    @asset
    def orders(context: AssetExecutionContext, client: PipesSubprocessClient) -> MaterializeResult[Any]:
        return client.run(context=context, command=script(BY_HAND)).get_materialize_result()

    (made,) = told_of(materialize([orders], resources={"client": PipesSubprocessClient()}))
    assert isinstance(made, AssetMaterialization)
    assert (made.metadata["rows"].value, made.tags["penstock/data_version"]) == (3, "v9")


def test_assets_that_were_not_told_of_are_made_too_unless_that_is_refused() -> None:
    seen: list[Any] = []

    @multi_asset(specs=[AssetSpec("a", skippable=True), AssetSpec("b", skippable=True)])
    def both(context: AssetExecutionContext, client: PipesSubprocessClient) -> Any:
        done = client.run(context=context, command=script(HEAD + "pipes.report_asset_materialization(asset_key='b')"))
        seen.append(len(done.get_results(implicit_materializations=False)))
        with pytest.raises(UserCodeError, match="results of 2: b, a"):
            done.get_materialize_result()
        with pytest.raises(UserCodeError, match="0 results of checks and 2 of assets"):
            done.get_asset_check_result()
        yield from done.get_results()

    result = materialize([both], resources={"client": PipesSubprocessClient()})
    assert seen == [1]
    assert {fact.asset for fact in told_of(result)} == {"a", "b"}


def test_a_check_evaluated_by_a_script() -> None:
    @asset
    def orders() -> None:
        pass

    @asset_check(asset=orders)
    def complete(context: AssetCheckExecutionContext, client: PipesSubprocessClient) -> AssetCheckResult:
        command = script(HEAD + "pipes.report_asset_check('complete', False, 'WARN')")
        return client.run(context=context, command=command).get_asset_check_result()

    result = materialize([orders, complete], resources={"client": PipesSubprocessClient()})
    (checked,) = [fact for fact in told_of(result) if isinstance(fact, AssetCheckEvaluation)]
    assert (checked.passed, checked.severity) == (False, "WARN")


def test_variables_and_folder_of_the_client_and_of_the_call(in_op: InStep, tmp_path: Path) -> None:
    body = "import os; pipes.report_custom_message([os.environ['A'], os.environ['B'], os.getcwd()])"

    def work(context: OpExecutionContext) -> None:
        client = PipesSubprocessClient({"A": "1", "B": "1"}, cwd="/", context_injector=PipesEnvContextInjector())
        command = script(HEAD + body)
        assert client.run(context=context, command=command).get_custom_messages() == (["1", "1", "/"],)
        done = client.run(context=context, command=command, env={"B": "2"}, cwd=str(tmp_path))
        assert done.get_custom_messages() == (["1", "2", str(tmp_path)],)

    in_op(work)


def test_output_may_be_dropped(in_op: InStep, capfd: pytest.CaptureFixture[str]) -> None:
    def work(context: OpExecutionContext) -> None:
        client = PipesSubprocessClient(forward_stdio=False)
        client.run(context=context, command="sh -c 'echo out; echo err >&2'")
        with pytest.raises(SubprocessError, match="err"):
            client.run(context=context, command="sh -c 'echo err >&2; exit 3'")

    in_op(work)
    assert capfd.readouterr() == ("", "")


def test_a_failing_process_is_told_with_its_last_lines_and_its_exception(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        client = PipesSubprocessClient()
        with pytest.raises(
            SubprocessError, match=r"exit code 1\.\nIt raised ValueError: no rows\nThe last lines"
        ) as told:
            client.run(context=context, command=script(HEAD + "raise ValueError('no rows')"))
        assert str(told.value).endswith("ValueError: no rows")
        body = "for n in range(1000): print('line', n, file=sys.stderr)\nsys.exit(4)"
        with pytest.raises(SubprocessError, match="exit code 4") as told:
            client.run(context=context, command=script(f"import sys\n{body}"))
        assert str(told.value).splitlines()[-1] == "line 999"
        assert "line 900" not in str(told.value)
        with pytest.raises(SubprocessError, match=r"killed by signal 15 \(SIGTERM\)"):
            client.run(context=context, command="sh -c 'kill -TERM $$'")

    lines = in_op(work)
    assert lines[1] == ("ERROR", "The external process failed.")


def test_a_child_that_goes_on_does_not_hold_the_step(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        body = "import subprocess; child = subprocess.Popen(['sleep', '60']); pipes.report_custom_message(child.pid)"
        done = PipesSubprocessClient().run(context=context, command=script(HEAD + body))
        (pid,) = done.get_custom_messages()
        os.kill(pid, signal.SIGKILL)  # it holds stderr open and lives

    in_op(work)


@pytest.mark.parametrize(
    ("command", "cwd", "told"),
    [
        ("no-such-program-anywhere", None, "There is no program 'no-such-program-anywhere'"),
        (["./there"], "/", "There is no program './there'"),
        ("", None, "is empty"),
        ("true", "/no/such/folder", "/no/such/folder, which is no folder"),
    ],
)
def test_what_cannot_be_started_is_named(in_op: InStep, command: Any, cwd: str | None, told: str) -> None:
    def work(context: OpExecutionContext) -> None:
        with pytest.raises(UserCodeError, match=told):
            PipesSubprocessClient().run(context=context, command=command, cwd=cwd)

    in_op(work)


def test_a_process_without_pipes_is_named(in_op: InStep) -> None:
    lines = in_op(lambda context: PipesSubprocessClient().run(context=context, command="true"))
    ((level, text),) = lines
    assert level == "WARNING"
    assert "sent no messages" in text
    assert "PipesTempFileMessageReader" in text


def test_metadata_of_a_client_is_added_to_what_was_reported() -> None:
    @asset
    def orders(context: AssetExecutionContext) -> Any:
        with open_pipes_session(context, PipesEnvContextInjector(), PipesTempFileMessageReader()) as session:
            pass
        done = PipesClientCompletedInvocation(session, metadata={"cluster": "c1"})
        assert done.metadata["cluster"].value == "c1"
        return done.get_materialize_result()

    (made,) = told_of(materialize([orders]))
    assert made.metadata["cluster"].value == "c1"
