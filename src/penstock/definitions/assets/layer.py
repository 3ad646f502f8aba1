"""What a job of assets makes: a part of the asset graph."""

from __future__ import annotations

import msgspec

from .graph import AssetGraph

__all__ = ["AssetLayer"]


class AssetLayer(msgspec.Struct, frozen=True, eq=False):
    """The assets and checks that a job makes, by key in text form, in the graph that they are part of."""

    graph: AssetGraph
    assets: frozenset[str]
    checks: frozenset[str]
