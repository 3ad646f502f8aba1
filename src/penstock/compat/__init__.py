"""The public names under their old spellings too: `import penstock.compat as dg` is all that a file of Dagster's needs.

Everything that `penstock` offers is here under its own name. Besides, what Dagster spells otherwise (`DagsterInstance`)
has both names; functions and classes take the old keyword arguments (`In(dagster_type=...)`), objects have the old
attributes (`context.dagster_run`), and tags and metadata may begin with `dagster/`. The tables are in `spellings.py`.
"""

from __future__ import annotations

from typing import Any

import penstock

from ..records.labels import LABELS
from .renamed import add_attributes, with_old_parameters
from .spellings import ATTRIBUTES, LABEL_PREFIXES, NAMES, PARAMETERS

__all__: list[str] = sorted({*penstock.__all__, *NAMES})  # type checkers read the stub beside this file

add_attributes(penstock, ATTRIBUTES)
LABELS.understand(LABEL_PREFIXES)


def __getattr__(name: str) -> Any:
    ours = NAMES.get(name, name)
    if ours not in penstock.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(penstock, ours)
    if ours in PARAMETERS:
        value = with_old_parameters(value, PARAMETERS[ours])
    globals().update({name: value, ours: value})
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
