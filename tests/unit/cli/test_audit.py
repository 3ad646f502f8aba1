"""`penstock audit`: what people did, by command and elsewhere, and who calls a command."""

from __future__ import annotations

import json
import os
import pwd
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.main import cli
from penstock.instance.instance import Instance
from penstock.records.act import Act, ActKind
from penstock.records.automation import By, Override
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    monkeypatch.delenv("PENSTOCK_ACTOR", raising=False)
    return tmp_path


def said(*arguments: str, env: dict[str, str] | None = None) -> str:
    result = CliRunner().invoke(cli, arguments, env=env)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def acts_of(home: Path) -> list[Act]:
    with Instance.open(home) as instance:
        return instance.storage.acts.page()


def test_who_calls_a_command_is_the_user_of_this_host_or_who_is_named(home: Path) -> None:
    said("instance", "concurrency", "set", "db", "1")
    said("instance", "concurrency", "set", "db", "2", env={"PENSTOCK_ACTOR": "build"})
    said("--as", "ann", "instance", "concurrency", "delete", "db", env={"PENSTOCK_ACTOR": "build"})
    me = f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
    assert [act.by for act in acts_of(home)] == [By(actor=name, via="command") for name in ("ann", "build", me)]


def test_acts_are_listed_and_chosen(home: Path) -> None:
    said("--as", "ann", "instance", "concurrency", "set", "db", "1")
    said("--as", "bob", "instance", "concurrency", "set", "db", "3")
    said("--as", "ann", "account", "add", "eve", "--role", "editor")
    lines = said("audit").splitlines()
    assert lines[0].split() == ["TIME", "BY", "ACT", "OF", "WHAT", "REASON"]
    assert [line.split(maxsplit=2)[2].strip() for line in lines[1:]] == [
        "ann  ADD_ACCOUNT  account/eve  editor",
        "bob  SET_LIMIT    pool/db      1 slot -> 3 slots",
        "ann  SET_LIMIT    pool/db      1 slot",
    ]
    assert len(said("audit", "--of", "pool/db").splitlines()) == 3
    assert len(said("audit", "--by", "ann", "--act", "set_limit").splitlines()) == 2
    assert said("audit", "--since", "2096-11-30T22:00") == "Nobody has done anything.\n"
    newest, *_ = json.loads(said("audit", "--json", "--limit", "1"))
    assert (newest["actor"], newest["via"], newest["act"], newest["subject"], newest["before"], newest["after"]) == (
        "ann",
        "command",
        "ADD_ACCOUNT",
        "account/eve",
        None,
        "editor",
    )


def test_of_an_override_neither_config_nor_values_of_tags_are_told(home: Path) -> None:
    override = Override(cron=("@daily",), interval=9.0, run_config={"password": "s3cret"}, tags={"key": "v4lue"})
    act = Act(subject="shop/schedule/a", time=1.0, kind=ActKind.OVERRIDE, by=By(reason="why"), override=override)
    with Instance.open(home) as instance:
        instance.storage.acts.add([act])
    assert "cron @daily, interval 9 s, tags key, run config  why" in said("audit")
    assert not {"s3cret", "v4lue"} & set(said("audit", "--json").split('"'))


def test_a_run_of_a_command_carries_who_called_it(home: Path, tmp_path: Path) -> None:
    code = tmp_path / "shop.py"
    code.write_text(
        "from penstock import Definitions, asset, job, op\n"
        "@op\ndef a(): ...\n@job\ndef j(): a()\n@asset\ndef x(): ...\n"
        "defs = Definitions(assets=[x], jobs=[j])\n"
    )
    said("--as", "ann", "job", "execute", "-f", str(code), "-j", "j")
    said("--as", "bob", "asset", "materialize", "-f", str(code), "--select", "x")
    with Instance.open(home) as instance:
        runs = instance.storage.runs.page(RunFilter(), limit=10)
    assert [run.tags[Tag.USER] for run in runs] == ["bob", "ann"]
    assert [(act.kind, act.subject, act.by.actor) for act in acts_of(home)] == [
        (ActKind.LAUNCH_RUN, f"run/{run.run_id}", run.tags[Tag.USER]) for run in runs
    ]


def test_a_removal_of_what_is_old_and_an_import_are_one_act_each(home: Path, tmp_path: Path) -> None:
    said("instance", "concurrency", "set", "db", "1")
    archive, other = str(tmp_path / "history.gz"), str(tmp_path / "other")
    said("instance", "export", archive)
    said("instance", "retention", "--apply")
    assert acts_of(home)[0].kind is ActKind.REMOVE_OLD
    said("--as", "ann", "instance", "import", archive, "--home", other)
    imported, *_ = acts_of(Path(other))
    assert (imported.kind, imported.after, imported.by.actor) == (ActKind.IMPORT, "history.gz", "ann")
