"""The run config schema of a part of a job."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock import Config, ConfigurableResource, Definitions, graph, job, op
from penstock.config.check import check
from penstock.definitions.run_config import run_config_schema
from penstock.plan.config import narrow_schema


class Settings(Config):
    n: int


class Db(ConfigurableResource):
    url: str


@op
def one(config: Settings) -> None: ...


@graph
def pair() -> None:
    one()
    one.alias("other")()


@job
def deep() -> None:
    pair()
    one()


SCHEMA = run_config_schema(Definitions(jobs=[deep], resources={"db": Db.configure_at_launch()}).get_job_def("deep"))
NEEDED = {
    "pair.one": ("pair", "ops", "one"),
    "pair.other": ("pair", "ops", "other"),
    "one": ("one",),
}


def _config(steps: set[str], resources: bool) -> dict[str, Any]:
    config: dict[str, Any] = {"resources": {"db": {"config": {"url": "x"}}}} if resources else {}
    for step in steps:
        entry = config.setdefault("ops", {})
        for key in NEEDED[step]:
            entry = entry.setdefault(key, {})
        entry["config"] = {"n": 1}
    return config


@given(st.sets(st.sampled_from(sorted(NEEDED))), st.booleans())
def test_exactly_what_runs_is_required(steps: set[str], uses_resource: bool) -> None:
    schema = narrow_schema(SCHEMA, steps, {"db"} if uses_resource else set())
    assert check(schema, _config(steps, uses_resource)).ok
    for missing in steps:
        assert not check(schema, _config(steps - {missing}, uses_resource)).ok
    if uses_resource:
        assert not check(schema, _config(steps, False)).ok
    assert check(schema, _config(set(NEEDED), True)).ok


def test_the_whole_job_keeps_its_schema() -> None:
    assert narrow_schema(SCHEMA, NEEDED, {"db"}) == SCHEMA
