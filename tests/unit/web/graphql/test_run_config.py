"""Run config at the edge: objects and YAML in, anything else told plainly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.web.graphql.failures import RefusedError, RunConfigValidationInvalid
from penstock.web.graphql.run_config import as_yaml, run_config_of

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (None, {}),
        ("", {}),
        ("# nothing yet\n", {}),
        ({"ops": {}}, {"ops": {}}),
        ("ops:\n  a: {config: {n: 3}}\n", {"ops": {"a": {"config": {"n": 3}}}}),
        ("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
    ],
)
def test_what_is_read(given: Any, value: dict[str, Any]) -> None:
    assert run_config_of(given, "nightly") == value


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("a: [", "not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("- 1", "must be a mapping"),
        ([1], "must be a mapping"),
        (3, "must be a mapping"),
        ("when: 2024-01-01", "put it in quotes"),
        ("? [1]\n: 2", "not valid YAML"),
        ("a: &a\n  b: *a", "nested deeper"),
        ("2024-01-01: x", "keys are texts"),
    ],
)
def test_what_is_not(given: Any, told: str) -> None:
    with pytest.raises(RefusedError) as refused:
        run_config_of(given, "nightly")
    failure = refused.value.failure
    assert isinstance(failure, RunConfigValidationInvalid)
    assert failure.pipeline_name == "nightly"
    assert told in failure.errors[0].message


def test_a_small_text_that_means_very_much() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(RefusedError):
        run_config_of("\n".join(lines), "nightly")


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
def test_what_is_written_reads_the_same(value: dict[str, Any]) -> None:
    assert run_config_of(as_yaml(value), "nightly") == value
