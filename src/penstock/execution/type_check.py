"""Checks the values of inputs and outputs against their declared types, and makes inputs of what a run config gives."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

from ..definitions.ops.type_loader import TypeLoader, input_form
from ..definitions.ops.types import type_of
from ..definitions.ops.value_type import PASSED, TypeCheck, ValueType
from ..errors import TypeCheckDidNotPassError, TypeCheckError, UserCodeError
from ..records.metadata import Metadata
from ..wording import kind_of, shown
from .attempt import Attempt
from .attempt_view import AttemptView
from .interrupt import INTERRUPTS
from .log import ContextLogger
from .prepared import InputSlot
from .resources import Resources

__all__ = ["TypeCheckContext", "TypeLoaderContext", "check_type", "check_value", "load_from_config"]


class TypeCheckContext:
    """What a type's check sees.

    Args:
        run_id: The run.
        log: A logger whose lines belong to the run.
        resources: The resources that the type requires, by key as attributes.
        python_type: The type whose check it is.
    """

    __slots__ = ("log", "python_type", "resources", "run_id")

    def __init__(self, run_id: str, log: ContextLogger, resources: Any, python_type: ValueType) -> None:
        self.run_id = run_id
        self.log = log
        self.resources = resources
        self.python_type = python_type


class TypeLoaderContext(AttemptView):
    """What a type's loader sees.

    Args:
        attempt: The attempt of the step whose input is made.
        resources: The resources that the loader requires, by key as attributes.
    """

    __slots__ = ("resources",)

    def __init__(self, attempt: Attempt, resources: Any) -> None:
        super().__init__(attempt)
        self.resources = resources

    @property
    def op_def(self) -> Any:
        """The op whose input is made."""
        return self._attempt.op


def check_value(attempt: Attempt, declared: ValueType, value: Any, port: str) -> Metadata:
    """See that a value is of its declared type; gives the facts that its check tells of it.

    Args:
        attempt: The attempt that got or gave the value.
        declared: The type.
        value: The value.
        port: Where it stands, as messages name it: `got ... for its input`, `gave ... as its output`.

    Raises:
        TypeCheckDidNotPassError: It is not; the message names the step, the value's kind and the remedy.
        TypeCheckError: The check itself failed.
    """
    if declared.passes_all:
        return {}
    verb, _, place = port.partition(" ")

    def context_of(kind: ValueType) -> TypeCheckContext:
        resources = attempt.opened.view(kind.required_resource_keys)
        return TypeCheckContext(attempt.run.run_id, attempt.log, resources, kind)

    with INTERRUPTS.user_code:
        try:
            found = declared.examine(value, context_of)
        except TypeCheckError as error:
            raise TypeCheckError(f"{attempt.what} {verb} {shown(value)} {place}: {error}") from (
                error.__cause__ or error
            )
    if found is None or found.success:
        return {} if found is None else found.facts
    kind = kind_of(value)
    why = "" if found.description in (None, f"is {kind}") else f" ({found.description})"
    raise TypeCheckDidNotPassError(
        f"{attempt.what} {verb} {shown(value)} {place}, which is declared as {declared.display_name}{why}; "
        "give a value of that type, or correct the declaration.",
        description=found.description,
        metadata=found.facts,
        python_type=declared,
    )


def load_from_config(attempt: Attempt, slot: InputSlot, given: Any) -> Any:
    """An input's value, made of what the run config gives for it.

    Raises:
        UserCodeError: The type's loader raised, or a file that holds the value cannot be read.
    """

    def context_of(loader: TypeLoader) -> TypeLoaderContext:
        return TypeLoaderContext(attempt, attempt.opened.view(frozenset(loader.required_resource_keys())))

    try:
        with INTERRUPTS.user_code:
            return input_form(slot.given.definition.python_type).load(given, context_of, _read_file)
    except UserCodeError:
        raise
    except Exception as error:
        raise attempt.broken(
            f"could not make its input {slot.name!r} ({slot.value_type.display_name}) of what the run config gives: "
            f"{type(error).__name__}: {error}"
        ) from error


def _read_file(form: str, path: str) -> Any:
    """A value from a file: of JSON, an object that holds it as `value`; or pickled."""
    if form == "pickle":
        with Path(path).open("rb") as file:
            return pickle.load(file)  # noqa: S301 - whoever writes the run config chooses the file
    read = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(read, dict) or "value" not in read:
        raise ValueError(f'{path} holds no object with the value as "value"')
    return read["value"]


def check_type(python_type: Any, value: Any) -> TypeCheck:
    """What a type finds of a value, as a test asks it.

    Args:
        python_type: A `ValueType`, a class or an annotation. A check that uses resources cannot be asked this way.
        value: The value.

    Raises:
        TypeCheckError: The check itself failed.
    """
    declared = type_of(python_type)

    def context_of(kind: ValueType) -> TypeCheckContext:
        return TypeCheckContext("", ContextLogger(lambda _: None), Resources({}), kind)

    return declared.examine(value, context_of) or PASSED
