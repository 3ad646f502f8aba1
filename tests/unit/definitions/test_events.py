"""What user functions give."""

from typing import Any

import numpy as np
import pytest

from penstock import (
    AssetCheckResult,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    DynamicOutput,
    Failure,
    MaterializeResult,
    Output,
)
from penstock.errors import DefinitionError
from penstock.records.metadata import IntMetadataValue


def test_metadata_is_typed_at_once() -> None:
    assert Output(1, metadata={"rows": 3}).metadata == {"rows": IntMetadataValue(3)}
    with pytest.raises(DefinitionError, match="'bad'"):
        Output(1, metadata={"bad": object()})


@pytest.mark.parametrize("key", ["", "a b", "a.b", "a[b]"])
def test_a_mapping_key_must_name_a_step(key: str) -> None:
    with pytest.raises(DefinitionError, match="cannot be the mapping_key"):
        DynamicOutput(1, mapping_key=key)


def test_a_materialize_result_may_hold_none_as_its_value() -> None:
    assert not MaterializeResult().has_value
    assert MaterializeResult(value=None).has_value


def test_keys_are_read_in_every_form() -> None:
    assert AssetMaterialization(["a", "b"]).asset_key == AssetKey(["a", "b"])
    assert MaterializeResult(asset_key="a").asset_key == AssetKey("a")


def test_a_check_result_has_a_key_once_both_parts_are_known() -> None:
    assert AssetCheckResult(passed=True).check_key is None
    key = AssetCheckResult(passed=True, asset_key="a", check_name="c").check_key
    assert key is not None
    assert key.to_user_string() == "a:c"


def test_a_failure_allows_retries_unless_told_otherwise() -> None:
    assert Failure("x").allow_retries
    assert not Failure("x", allow_retries=False).allow_retries


def test_texts_are_texts() -> None:
    assert DynamicOutput(1, mapping_key=np.str_("k1")).mapping_key == "k1"
    assert type(DynamicOutput(1, mapping_key=np.str_("k1")).mapping_key) is str
    wrong: Any = 2024
    for make, part in (
        (lambda: AssetMaterialization("a", partition=wrong), "partition of the event of asset a"),
        (lambda: AssetMaterialization("a", description=wrong), "description of the event of asset a"),
        (lambda: AssetCheckResult(passed=True, check_name=wrong), "check_name of an AssetCheckResult"),
        (lambda: AssetCheckResult(passed=True, description=wrong), "description of an AssetCheckResult"),
    ):
        with pytest.raises(DefinitionError, match=rf"The {part} \(.*\) is 2024; give a text"):
            make()


def test_results_keep_metadata_as_given_and_have_it_typed_too() -> None:
    result = MaterializeResult[Any](metadata={"rows": 3})
    assert result.metadata == {"rows": 3}
    assert result.facts == {"rows": IntMetadataValue(3)}
    with pytest.raises(DefinitionError, match="'bad'"):
        MaterializeResult(metadata={"bad": object()})


def test_the_labels_of_metadata_are_text() -> None:
    with pytest.raises(DefinitionError, match=r"label 1 \(an int\); give a text"):
        Output(1, metadata={1: "x"})  # type: ignore[dict-item]  # what is refused


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (Output(1, "a"), Output(1, "a"), Output(1, "b")),
        (DynamicOutput(1, "a"), DynamicOutput(1, "a"), DynamicOutput(1, "b")),
        (
            AssetMaterialization("a", metadata={"x": 1}),
            AssetMaterialization("a", metadata={"x": 1}),
            AssetMaterialization("a", metadata={"x": 2}),
        ),
        (AssetMaterialization("a"), AssetMaterialization("a"), AssetObservation("a")),
        (AssetCheckResult(passed=True), AssetCheckResult(passed=True), AssetCheckResult(passed=False)),
        (MaterializeResult(tags={"a": "b"}), MaterializeResult(tags={"a": "b"}), MaterializeResult()),
        (MaterializeResult(value=1), MaterializeResult(value=1), MaterializeResult(value=2)),
    ],
)
def test_they_are_equal_where_all_parts_are(one: object, same: object, other: object) -> None:
    assert one == same
    assert one != other
