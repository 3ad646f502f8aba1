"""Config as pydantic models: what users subclass, the schema of a model, and a model's instance from checked config.

It loads pydantic, so it is imported when a model is at hand and not before.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, ErrorDetails
from pydantic_core.core_schema import no_info_wrap_validator_function

from .annotation import Node, follow, is_secret, read_model
from .env import EnvVar, IntEnvVar
from .problems import Checked, ConfigProblem, Problem, hide, place, sentence
from .schema import Permissive, Shape

__all__ = ["Config", "PermissiveConfig", "build", "schema_of"]

Model = TypeVar("Model", bound=BaseModel)

_REASONS: Mapping[str, ConfigProblem] = {
    "missing": ConfigProblem.MISSING_REQUIRED_FIELD,
    "extra_forbidden": ConfigProblem.FIELD_NOT_DEFINED,
    "union_tag_invalid": ConfigProblem.SELECTOR_FIELD_ERROR,
    "union_tag_not_found": ConfigProblem.SELECTOR_FIELD_ERROR,
}


def _keep_marker(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    # pydantic would turn a marked variable into plain text or a plain number and so forget the mark.
    return value if isinstance(value, EnvVar | IntEnvVar) else handler(value)


class Config(BaseModel):
    """Typed config of an op, asset or resource: subclass it and declare fields.

    Instances do not change; unknown fields are refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The model's schema in which each field also takes an `EnvVar`, as it is and unchecked."""
        schema = handler(source)
        fields: Any = handler.resolve_ref_schema(schema)
        while fields["type"] != "model-fields":
            fields = fields["schema"]  # below the validators of the model as a whole
        for field in fields["fields"].values():
            holder = field["schema"] if field["schema"]["type"] == "default" else field
            # A literal may tell the members of a union apart, for which pydantic wants it bare.
            if holder["schema"]["type"] != "literal":
                holder["schema"] = no_info_wrap_validator_function(_keep_marker, holder["schema"])
        return schema

    def to_config_dict(self) -> dict[str, Any]:
        """The given fields as a run config writes them: plain values, enums by name, `EnvVar` as `{env: NAME}`."""
        result: dict[str, Any] = read_model(type(self)).leave(self)
        return result


class PermissiveConfig(Config):
    """Config that also takes fields it does not declare."""

    model_config = ConfigDict(extra="allow")


def schema_of(model: type[BaseModel]) -> Shape | Permissive:
    """The config type of a pydantic model: a permissive one where the model allows extra fields.

    Raises:
        DefinitionError: An annotation cannot be read.
    """
    return read_model(model).type


def build(
    model: type[Model],
    value: Mapping[str, Any],
    *,
    path: tuple[str, ...] = (),
    root: str = "the config",
    hidden: Container[tuple[str, ...]] | None = (),
) -> Checked:
    """Make an instance of `model` from a config that its schema has passed; pydantic and users' validators check it.

    Args:
        model: The model.
        value: A checked config, environment variables filled in.
        path: Where the value stands in a larger config.
        root: What messages call the value at the empty path.
        hidden: The paths of values that no message may show, since they come from the environment; None for all.

    Returns:
        The instance, or one problem for each of pydantic's errors.
    """
    node = read_model(model)
    try:
        return Checked(value=model.model_validate(node.enter(value)))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        return Checked(value=None, problems=tuple(_problem(node, each, path, root, hidden) for each in details))


def _problem(
    node: Node, detail: ErrorDetails, path: tuple[str, ...], root: str, hidden: Container[tuple[str, ...]] | None
) -> Problem:
    steps = list(follow(node, detail["loc"]))
    at = (*path, *(key for key, _ in steps))
    reason = _REASONS.get(detail["type"], ConfigProblem.RUNTIME_TYPE_MISMATCH)
    if reason is ConfigProblem.MISSING_REQUIRED_FIELD and at:
        message = f'{place(at[:-1], root)} lacks the required field "{at[-1]}"; add it.'
        return Problem(path=at[:-1], reason=reason, message=sentence(message), field=at[-1])
    if reason is ConfigProblem.FIELD_NOT_DEFINED and at:
        message = f'{place(at[:-1], root)} has no field "{at[-1]}"; remove it.'
        return Problem(path=at, reason=reason, message=sentence(message), field=at[-1])
    given = detail["input"]
    # A whole mapping may hold secrets; a single value is shown unless it is one itself.
    keep = hidden is None or at in hidden or any(is_secret(each) for _, each in steps)
    keep = keep or isinstance(given, Mapping | list | BaseModel)
    with_value = "" if keep else f" with the value {given!r}"
    text = detail["msg"].rstrip(".")
    if keep and isinstance(given, str | int | float):
        text = hide(text, str(given))  # a user's validator may repeat what it was given
    message = f"{place(at, root)}{with_value} is not accepted: {text}."
    return Problem(path=at, reason=reason, message=sentence(message))
