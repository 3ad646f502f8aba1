"""What one execution of an operation carries along."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError
from graphql.execution.values import VariableValues

from .context import Context

__all__ = ["State"]


class State:
    """One execution.

    Args:
        context: What resolvers share.
        variables: The values of the operation's variables.
    """

    __slots__ = ("arguments", "context", "errors", "is_even", "variables")

    def __init__(self, context: Context, variables: VariableValues) -> None:
        self.context = context
        self.variables = variables
        self.arguments: dict[int, dict[str, Any]] = {}
        self.errors: list[GraphQLError] = []
        self.is_even = True  # no list has had an item by now with which something is wrong
