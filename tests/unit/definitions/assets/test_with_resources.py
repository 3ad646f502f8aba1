"""Resources bound to assets themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from penstock import (
    AssetCheckResult,
    AssetIn,
    AssetSpec,
    Definitions,
    InMemoryIOManager,
    SourceAsset,
    asset,
    asset_check,
    input_manager,
    materialize,
    resource,
    with_resources,
)
from penstock.errors import DefinitionError, InvalidRunConfigError, InvocationError, UnknownResourceError


@resource(config_schema={"word": str})
def word(context: Any) -> str:
    return str(context.resource_config["word"])


@resource(required_resource_keys={"word"})
def loud(context: Any) -> str:
    return str(context.resources.word).upper()


@asset(required_resource_keys={"loud"})
def shout(context: Any) -> str:
    return str(context.resources.loud)


@asset(io_manager_key="shelf")
def stored() -> int:
    return 1


@asset_check(asset="shout", required_resource_keys={"word"})
def heard(context: Any) -> AssetCheckResult:
    return AssetCheckResult(passed=context.resources.word == "hi")


GIVEN: Mapping[str, Any] = {"word": word, "loud": loud, "shelf": InMemoryIOManager(), "unused": 3}


def test_each_gets_what_it_needs_and_what_that_needs() -> None:
    bound = with_resources([shout, stored, heard, AssetSpec("outside")], GIVEN, {"word": {"config": {"word": "hi"}}})
    result = materialize(bound)
    assert result.output_for_node("shout") == "HI"
    assert result.success
    first, second, *_ = bound
    assert not isinstance(first, AssetSpec)
    assert not isinstance(second, AssetSpec)
    assert first.resource_defs.keys() == {"word", "loud"}
    assert second.resource_defs.keys() == {"shelf"}
    assert shout.resource_defs == {}, "the asset itself is as it was"


def test_what_loads_inputs_counts_too() -> None:
    @input_manager
    def loads() -> int:
        return 41

    @asset(ins={"stored": AssetIn(input_manager_key="loads")})
    def more(stored: int) -> int:
        return stored + 1

    result = materialize(with_resources([stored, more], {"shelf": InMemoryIOManager(), "loads": loads}))
    assert result.output_for_node("more") == 42
    outside = with_resources([SourceAsset("outside", io_manager_key="shelf")], GIVEN)
    assert [each.resource_defs.keys() for each in outside if not isinstance(each, AssetSpec)] == [{"shelf"}]


def test_all_of_one_call_fit_together_in_definitions() -> None:
    bound = with_resources([shout, stored], GIVEN, {"word": {"config": {"word": "hi"}}})
    assert Definitions(assets=bound).get_job_def("__ASSET_JOB").execute_in_process().success


def test_another_config_is_another_resource() -> None:
    one = with_resources([shout], GIVEN, {"word": {"config": {"word": "a"}}})
    other = with_resources([heard], GIVEN, {"word": {"config": {"word": "b"}}})
    with pytest.raises(DefinitionError, match='another resource "word"'):
        Definitions.validate_loadable(Definitions(assets=[*one, *other]))


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(UnknownResourceError, match=r'Asset shout .* needs the resource "word"'):
        with_resources([shout], {"loud": loud})
    with pytest.raises(
        InvocationError, match='config for the resource "words", which is not given; did you mean "word"'
    ):
        with_resources([shout], GIVEN, {"words": {"config": {}}})
    with pytest.raises(DefinitionError, match=r"give \{\"config\": \.\.\.\}"):
        with_resources([shout], GIVEN, {"word": {"word": {}}})
    with pytest.raises(InvalidRunConfigError, match="word"):
        with_resources([shout], GIVEN, {"word": {"config": {"word": 3}}})
    bound = with_resources([stored], GIVEN)
    with_resources(bound, GIVEN)  # the same once more
    with pytest.raises(InvocationError, match='brings a resource "shelf" of its own'):
        with_resources(bound, {"shelf": InMemoryIOManager()})
