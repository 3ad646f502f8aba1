"""The steps of a job, and that they are laid once."""

from __future__ import annotations

import pytest

from penstock.definitions.assets.asset import asset
from penstock.definitions.definitions import Definitions
from penstock.definitions.ops.hooks import HookDefinition, success_hook
from penstock.definitions.ops.job import JobDefinition, job
from penstock.definitions.ops.op import op
from penstock.definitions.run_config import full_run_config_schema
from penstock.definitions.steps.job_steps import job_steps
from penstock.errors import DefinitionError


@op
def nothing() -> None: ...


@job
def one() -> None:
    nothing()


@success_hook
def tell(context: object) -> None: ...


def _assets() -> JobDefinition:
    @asset
    def first() -> None: ...

    @asset(deps=[first])
    def second() -> None: ...

    return Definitions(assets=[first, second]).get_job_def("__ASSET_JOB")


def test_the_steps_and_the_schema_of_a_job_are_made_once() -> None:
    assert job_steps(one) is job_steps(one)
    assert full_run_config_schema(one) is full_run_config_schema(one)


def test_a_job_made_of_another_has_steps_of_its_own() -> None:
    assert isinstance(tell, HookDefinition)
    assert not job_steps(one)["nothing"].hooks
    assert job_steps(one.with_hooks([tell]))["nothing"].hooks == {tell}


def test_all_of_the_assets_are_the_whole_and_some_are_not() -> None:
    both = _assets()
    layer = both.asset_layer
    assert layer is not None
    assert job_steps(both, layer.assets, layer.checks) is job_steps(both)
    assert list(job_steps(both, frozenset({"second"}))) == ["second"]
    assert list(job_steps(both)) == ["first", "second"]


def test_a_job_of_nothing_has_no_steps() -> None:
    with pytest.raises(DefinitionError, match="neither a graph nor assets"):
        job_steps(JobDefinition(name="empty"))
