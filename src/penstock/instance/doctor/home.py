"""Checks of the home: who may read and write its files, and settings that do nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from ..settings import FILE_NAME
from .facts import Facts
from .finding import Finding, Severity

__all__ = ["permissions", "settings"]


def permissions(facts: Facts) -> Iterator[Finding]:
    """Files that anybody on the machine may change, and passwords that anybody may read."""
    for file in facts.files:
        if file.mode & stat.S_IWOTH and not file.mode & stat.S_ISVTX:
            yield Finding(
                check="permissions",
                severity=Severity.ERROR,
                where=file.path,
                what=f"Every user of this machine may change it (mode {stat.S_IMODE(file.mode):o}).",
                remedy=f"chmod o-w {file.path}",
            )
        elif file.is_secret and file.mode & stat.S_IROTH:
            yield Finding(
                check="permissions",
                severity=Severity.WARNING,
                where=file.path,
                what=f"It holds a password, and every user of this machine may read it "
                f"(mode {stat.S_IMODE(file.mode):o}).",
                remedy=f"chmod o-r {file.path}, or write the password as {{env: NAME}}.",
            )


def settings(facts: Facts) -> Iterator[Finding]:
    """Settings that are set and have no effect beside the others."""
    given = facts.settings
    if given.run_workers.storage == "direct" and given.run_workers.gateway_url is not None:
        yield _idle("run_workers.gateway_url", "run_workers.storage is `direct`", "run_workers.storage: gateway")
    if not given.run_retries.enabled and given.run_retries.max_retries:
        yield _idle("run_retries.max_retries", "run_retries.enabled is false", "run_retries.enabled: true")
    held, pools = given.run_queue.block_op_concurrency_limited_runs, given.concurrency.pools
    if not held.enabled:
        name = "run_queue.block_op_concurrency_limited_runs"
        for key, value in (
            (f"{name}.op_concurrency_slot_buffer", held.op_concurrency_slot_buffer),
            ("concurrency.pools.op_granularity_run_buffer", pools.op_granularity_run_buffer),
        ):
            if value is not None:
                yield _idle(key, f"{name}.enabled is false", f"{name}.enabled: true")
    elif pools.granularity == "run" and pools.op_granularity_run_buffer is not None:
        yield _idle(
            "concurrency.pools.op_granularity_run_buffer",
            "concurrency.pools.granularity is `run`",
            "concurrency.pools.granularity: op",
        )


def _idle(key: str, because: str, remedy: str) -> Finding:
    return Finding(
        check="settings",
        severity=Severity.NOTE,
        where=f"{FILE_NAME}: {key}",
        what=f"It has no effect, since {because}.",
        remedy=f"Remove it, or set {remedy}.",
    )
