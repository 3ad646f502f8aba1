"""A run config written in Python becomes plain values."""

from __future__ import annotations

import pytest

from penstock.config.env import EnvVar
from penstock.config.model import Config
from penstock.config.run_config import RunConfig, plain_run_config
from penstock.errors import DefinitionError


class Limit(Config):
    limit: int


def test_typed_config_goes_under_its_config_key() -> None:
    run_config = RunConfig(
        ops={"load": Limit(limit=3), "store": {"config": Limit(limit=4), "inputs": {"x": 1}}},
        resources={"db": {"config": {"password": EnvVar("PASSWORD"), "port": EnvVar.int("PORT")}}},
        loggers={"console": {"config": {"log_level": "INFO"}}},
        execution={"config": {"multiprocess": {"max_concurrent": 2}}},
    )
    assert run_config.to_config_dict() == {
        "ops": {"load": {"config": {"limit": 3}}, "store": {"config": {"limit": 4}, "inputs": {"x": 1}}},
        "resources": {"db": {"config": {"password": {"env": "PASSWORD"}, "port": {"env": "PORT"}}}},
        "loggers": {"console": {"config": {"log_level": "INFO"}}},
        "execution": {"config": {"multiprocess": {"max_concurrent": 2}}},
    }


def test_ops_inside_a_graph_are_entries_too() -> None:
    run_config = RunConfig(ops={"graph": {"ops": {"load": Limit(limit=3)}}})
    assert run_config.to_config_dict() == {"ops": {"graph": {"ops": {"load": {"config": {"limit": 3}}}}}}


def test_an_empty_run_config_is_an_empty_dict() -> None:
    assert RunConfig().to_config_dict() == {}
    assert RunConfig() == RunConfig(ops={})
    assert RunConfig(ops={"a": {}}) != RunConfig()
    assert repr(RunConfig(ops={"a": {}})) == "RunConfig(ops={'a': {}})"


def test_a_plain_mapping_may_hold_typed_config_too() -> None:
    written = {"ops": {"load": Limit(limit=3), "odd": 5}, "execution": {"in_process": {}}, "unknown": [EnvVar("NAME")]}
    assert plain_run_config(written, "this run") == {
        "ops": {"load": {"config": {"limit": 3}}, "odd": 5},
        "execution": {"in_process": {}},
        "unknown": [{"env": "NAME"}],
    }
    assert plain_run_config({"ops": 5}, "this run") == {"ops": 5}  # the check against the schema tells of it
    assert plain_run_config(None, "this run") == {}
    assert plain_run_config(RunConfig(ops={"load": Limit(limit=3)}), "this run") == {
        "ops": {"load": {"config": {"limit": 3}}}
    }
    with pytest.raises(DefinitionError, match="The run config of this run is 5; give a dict or a RunConfig"):
        plain_run_config(5, "this run")  # type: ignore[arg-type]
