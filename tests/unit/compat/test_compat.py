"""The old spellings mean what the new ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import penstock
import penstock.compat
from penstock.compat.spellings import ATTRIBUTES, NAMES, PARAMETERS
from support.compatibility import Entry, surface

dg: Any = penstock.compat  # what it takes under old spellings is not for type checkers


@pytest.mark.parametrize("entry", [each for each in surface() if each.value is not None], ids=lambda each: each.name)
def test_every_name_is_there_under_its_old_spelling(entry: Entry) -> None:
    assert hasattr(dg, entry.name)
    assert entry.name in dir(dg)


@pytest.mark.parametrize(("old", "new"), sorted(NAMES.items()))
def test_old_names_are_the_new_things(old: str, new: str) -> None:
    assert getattr(dg, old) is getattr(dg, new)


@pytest.mark.parametrize("name", sorted(set(PARAMETERS) | set(ATTRIBUTES)))
def test_what_the_tables_rename_exists(name: str) -> None:
    assert name in penstock.__all__


def test_the_plain_package_has_no_old_spelling() -> None:
    assert [name for name in penstock.__all__ if "dagster" in name.lower()] == []
    with pytest.raises(AttributeError, match="no attribute 'DagsterInstance'"):
        penstock.DagsterInstance  # noqa: B018 - looking is the test


def test_an_old_keyword_argument_is_the_new_one() -> None:
    assert dg.In(dagster_type=int) == penstock.In(python_type=int)
    assert dg.In(int).dagster_type is int


def test_an_argument_given_under_both_names_is_refused() -> None:
    with pytest.raises(TypeError, match="both dagster_type and python_type"):
        dg.Out(dagster_type=int, python_type=str)


def test_a_class_that_takes_old_arguments_is_still_a_class_to_isinstance() -> None:
    assert isinstance(penstock.Out(int), dg.Out)
    assert not isinstance(1, dg.Out)


def test_a_decorator_takes_old_arguments() -> None:
    @dg.asset(dagster_type=int, tags={"dagster/priority": "3"}, metadata={"dagster/row_count": 5})
    def numbers():  # type: ignore[no-untyped-def]
        return 1

    (spec,) = numbers.specs
    assert spec.tags == {"penstock/priority": "3"}
    assert list(spec.normalized_metadata()) == ["penstock/row_count"]
    assert numbers.op.outs["result"].python_type is int


def test_old_attributes_read_the_new_ones() -> None:
    @penstock.op
    def one(context: Any) -> str:
        run_id: str = context.dagster_run.run_id
        return run_id

    @penstock.job
    def tell() -> None:
        one()

    result: Any = tell.execute_in_process()
    assert result.output_for_node("one") == result.dagster_run.run_id


def test_labels_of_old_are_read_wherever_code_names_one(tmp_path: Path) -> None:
    @penstock.asset(tags={"dagster/storage_kind": "file"})
    def kept(context: penstock.AssetExecutionContext) -> str:
        return f"{context.get_tag('dagster/priority')} {context.has_tag('dagster/partition')}"

    instance = penstock.Instance.local_temp(str(tmp_path))
    result = penstock.materialize([kept], instance=instance, tags={"dagster/priority": "3"})
    assert result.output_for_node("kept") == "3 False"
    instance.add_run_tags(result.run_id, {"dagster/max_retries": "2"})
    (run,) = instance.get_runs(penstock.RunsFilter(tags={"dagster/priority": "3", "dagster/max_retries": "2"}))
    assert run.tags["penstock/priority"] == "3"
    graph = penstock.Definitions(assets=[kept]).resolve_asset_graph()
    assert penstock.AssetSelection.tag("dagster/storage_kind", "file").resolve(graph) == {penstock.AssetKey("kept")}


def test_definitions_answer_to_the_names_of_later_versions() -> None:
    @penstock.job
    def nothing() -> None: ...

    found = dg.Definitions(jobs=[nothing])
    assert found.resolve_job_def("nothing").name == "nothing"


def test_the_data_of_an_event_is_read_as_before() -> None:
    @dg.asset
    def orders():  # type: ignore[no-untyped-def]
        return dg.MaterializeResult(metadata={"rows": 3})

    result = dg.materialize([orders])
    (made,) = result.get_asset_materialization_events()
    assert made.step_materialization_data.materialization.metadata["rows"].value == 3
    assert made.event_specific_data.materialization.asset_key == dg.AssetKey("orders")
    observed = penstock.AssetObservation("orders")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(observed)
        (record,) = instance.fetch_observations(dg.AssetKey("orders"), limit=1).records
        event = record.event_log_entry.dagster_event
        assert event.asset_observation_data.asset_observation.asset_key == dg.AssetKey("orders")
