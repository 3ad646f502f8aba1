"""How long things are kept, and what there is of each kind, as the daemon found it at its last look."""

from __future__ import annotations

from ...instance.retention import last_report
from ...records.retention import KindReport, RetentionReport
from ...records.run import Run
from ...storage.run_log import has_log
from .context import Context
from .deployment import Deployment
from .fields import Fields

__all__ = ["TABLES"]

_INSTANCE = Fields("Instance", source=Deployment)
_RUN = Fields("Run", source=Run)
_RETENTION = Fields("Retention", source=RetentionReport)
_KIND = Fields("KeptKind", source=KindReport)

TABLES = (_INSTANCE, _RUN, _RETENTION, _KIND)

_RETENTION.rename(looked_timestamp="looked", done_timestamp="done")
_KIND.rename(
    kind="kept.kind",
    rows="kept.rows",
    oldest_timestamp="kept.oldest",
    bytes="kept.bytes",
    too_old="going",
    next_timestamp="next",
)


@_INSTANCE.field
def retention(_deployment: Deployment, context: Context) -> RetentionReport | None:
    return last_report(context.storage)


@_RUN.field
def log_kept(run: Run, context: Context) -> bool:
    return has_log(context.storage.events, run)
