"""Wishes to change dynamic partition sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest, DynamicPartitionsDefinition
from penstock.errors import DefinitionError
from penstock.partitions.requests import keys_after
from penstock.storage.sqlite.storage import SqliteStorage

FILES = DynamicPartitionsDefinition(name="files")
KEYS = st.lists(st.sampled_from("abcde"), max_size=4)
REQUESTS = st.lists(
    st.one_of(
        st.builds(AddDynamicPartitionsRequest, st.sampled_from(["files", "other"]), KEYS),
        st.builds(DeleteDynamicPartitionsRequest, st.sampled_from(["files", "other"]), KEYS),
    ),
    max_size=6,
)


def test_a_set_builds_requests_for_itself() -> None:
    assert FILES.build_add_request(["a"]) == AddDynamicPartitionsRequest("files", ["a"])
    assert FILES.build_delete_request(["a"]) == DeleteDynamicPartitionsRequest("files", ["a"])
    with pytest.raises(DefinitionError, match="cannot be a partition key"):
        FILES.build_add_request(["a...b"])


@pytest.mark.parametrize("kind", [AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest])
@pytest.mark.parametrize("keys", ["abc", [1]])
def test_keys_that_are_no_list_of_texts_are_refused(kind: Callable[..., Any], keys: Any) -> None:
    with pytest.raises(DefinitionError, match="give a list of texts"):
        kind("files", keys)


@given(before=KEYS, requests=REQUESTS)
def test_keys_are_foretold_as_a_store_will_have_them(before: list[str], requests: list[Any]) -> None:
    storage = SqliteStorage(None)
    storage.assets.add_dynamic_partitions("files", before)
    foretold = keys_after(requests, storage.assets.dynamic_partitions)("files")
    for request in requests:
        name, keys = request.partitions_def_name, request.partition_keys
        if isinstance(request, AddDynamicPartitionsRequest):
            storage.assets.add_dynamic_partitions(name, keys)
        else:
            storage.assets.delete_dynamic_partitions(name, keys)
    assert foretold == storage.assets.dynamic_partitions("files")
    storage.close()
