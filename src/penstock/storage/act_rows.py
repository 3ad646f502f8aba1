"""Rows of acts, as records."""

from __future__ import annotations

from typing import Any

import msgspec

from ..codec import decode_msgpack, encode_msgpack
from ..records.act import Act

__all__ = ["ACT", "NEW_ACT", "act", "act_values"]

Row = tuple[Any, ...]

ACT = "id, body"
NEW_ACT = "subject, actor, kind, time, body"


def act(row: Row) -> Act:
    """The act of a row of `ACT`."""
    return msgspec.structs.replace(decode_msgpack(row[1], Act), id=row[0])


def act_values(act: Act) -> Row:
    """The values of `NEW_ACT`."""
    return act.subject, act.by.actor, act.kind, act.time, encode_msgpack(act)
