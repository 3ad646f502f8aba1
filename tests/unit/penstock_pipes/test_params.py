"""Where a process finds its parameters."""

from __future__ import annotations

import sys

import pytest

from penstock_pipes import (
    PipesCliArgsParamsLoader,
    PipesEnvVarParamsLoader,
    PipesError,
    PipesMappingParamsLoader,
    decode_param,
    encode_param,
)

CONTEXT, MESSAGES = {"data": {"é": 1}}, {"path": "x"}


@pytest.mark.parametrize("prefix", ["PENSTOCK", "DAGSTER"])
def test_the_environment_has_them_under_either_name(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    loader = PipesEnvVarParamsLoader()
    assert not loader.is_penstock_pipes_process()
    monkeypatch.setenv(f"{prefix}_PIPES_CONTEXT", encode_param(CONTEXT))
    monkeypatch.setenv(f"{prefix}_PIPES_MESSAGES", encode_param(MESSAGES))
    assert loader.is_penstock_pipes_process()
    assert (loader.load_context_params(), loader.load_messages_params()) == (CONTEXT, MESSAGES)


@pytest.mark.parametrize("prefix", ["penstock", "dagster"])
def test_arguments_have_them_among_those_of_the_program(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    context, messages = f"--{prefix}-pipes-context", f"--{prefix}-pipes-messages"
    given = ["script.py", "--size", "3", context, encode_param(CONTEXT), f"{messages}={encode_param(MESSAGES)}", "more"]
    monkeypatch.setattr(sys, "argv", given)
    loader = PipesCliArgsParamsLoader()
    assert loader.is_penstock_pipes_process()
    assert (loader.load_context_params(), loader.load_messages_params()) == (CONTEXT, MESSAGES)


@pytest.mark.parametrize(
    ("text", "told"),
    [("%", "cannot be"), ("eA==", "cannot be"), (encode_param([1]), "must be a mapping")],
    ids=["no-base64", "not-packed", "no-mapping"],
)
def test_what_cannot_be_read_is_named(text: str, told: str) -> None:
    with pytest.raises(PipesError, match=f"PENSTOCK_PIPES_CONTEXT .*{told}"):
        PipesMappingParamsLoader({"PENSTOCK_PIPES_CONTEXT": text}).load_context_params()


def test_missing_parameters_are_named() -> None:
    with pytest.raises(PipesError, match="no PENSTOCK_PIPES_MESSAGES"):
        PipesMappingParamsLoader({}).load_messages_params()


def test_parameters_come_back_as_they_were() -> None:
    assert decode_param(encode_param(CONTEXT)) == CONTEXT
