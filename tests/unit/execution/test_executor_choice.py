"""The job's executor and the run's config say how steps run."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import ExecutorDefinition, in_process_executor, job, multiprocess_executor, op
from penstock.definitions.executors import default_executor
from penstock.engine.limits import TagLimit
from penstock.errors import DefinitionError, InvalidRunConfigError
from penstock.execution.configuration import configure
from penstock.execution.executor_choice import ExecutorChoice, choose_executor
from penstock.plan.build import build_plan


@op
def nothing() -> None:
    pass


def choice(executor: ExecutorDefinition | None, config: dict[str, Any]) -> ExecutorChoice:
    """The choice after the config has been checked as a run's is."""

    @job(executor_def=executor)
    def work() -> None:
        nothing()

    checked = configure(build_plan(work), work, {"execution": {"config": config}} if config else {})
    return choose_executor(work.executor_def, checked.values)


def test_each_step_has_its_process_unless_somebody_says_otherwise() -> None:
    assert choice(None, {}) == ExecutorChoice(name="multiprocess", definition=default_executor)
    assert choice(None, {"in_process": {}}).name == "in_process"
    assert choice(in_process_executor, {}).name == "in_process"


def test_limits_come_from_the_run_config_or_with_the_job() -> None:
    limits = [{"key": "db", "limit": 1}, {"key": "api", "value": "slow", "limit": 2}]
    expected = (3, (TagLimit(key="db", limit=1), TagLimit(key="api", value="slow", limit=2)))
    config = {"max_concurrent": 3, "tag_concurrency_limits": limits}
    for made in (choice(None, {"multiprocess": config}), choice(multiprocess_executor, config)):
        assert (made.name, made.max_concurrent, made.tag_limits) == ("multiprocess", *expected)
    assert choice(multiprocess_executor.configured({"max_concurrent": 4}), {}).max_concurrent == 4


def test_a_limit_may_count_each_value_apart() -> None:
    limit = {"key": "shard", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    (made,) = choice(multiprocess_executor, {"tag_concurrency_limits": [limit]}).tag_limits
    assert made == TagLimit(key="shard", limit=1, per_value=True)


def test_mistakes_are_named() -> None:
    with pytest.raises(InvalidRunConfigError, match="max_concurent"):
        choice(multiprocess_executor, {"max_concurent": 3})
    with pytest.raises(DefinitionError, match="no executor 'celery'"):
        choose_executor(ExecutorDefinition("celery"), {})
