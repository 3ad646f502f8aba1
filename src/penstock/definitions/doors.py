"""The few doors that lead upward, each one line: definitions that users call are run by the execution floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..execution.api import ExecuteInProcessResult

__all__ = ["execute_job_in_process", "invoke"]


def invoke(definition: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call an op's, asset's or check's function with these arguments, as a test does."""
    from ..execution.direct import invoke as run

    return run(definition, args, kwargs)


def execute_job_in_process(job: Any, **options: Any) -> ExecuteInProcessResult:
    """Run a job to its end in this process."""
    from ..execution.api import execute_in_process

    return execute_in_process(job, **options)
