"""How long a page may be."""

from __future__ import annotations

from graphql import GraphQLError

__all__ = ["LONGEST_PAGE", "page_size"]

LONGEST_PAGE = 1000


def page_size(limit: int | None, default: int = 100, most: int = LONGEST_PAGE) -> int:
    """The number of items to give for the `limit` that was asked for.

    Raises:
        GraphQLError: It is negative.
    """
    if limit is None:
        return default
    if limit < 0:
        raise GraphQLError(f"limit must not be negative, and {limit} is; leave it out for {default}.")
    return min(limit, most)
