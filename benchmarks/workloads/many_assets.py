"""Declare many assets with dependencies, and describe them as a code location does, or build the plan of a run of all.

Prints CPU seconds and megabytes: `many_assets.py MODULE describe|plan COUNT`.
"""

from __future__ import annotations

import gc
import importlib
import json
import resource
import sys
import time
from typing import Any

GROUPS = 20


def declared(module: Any, count: int) -> Any:
    """So many assets in a row; each depends on the last one and on two further back."""
    assets = []
    for index in range(count):
        deps = [f"a{back}" for back in (index - 1, index - 7, index - 50) if back >= 0]

        @module.asset(name=f"a{index}", deps=deps, group_name=f"g{index % GROUPS}")
        def made() -> None: ...

        assets.append(made)
    return module.Definitions(assets=assets)


def describe(module: Any, definitions: Any) -> None:
    """What a code server does with definitions when it has loaded them."""
    if module.__name__ == "penstock":
        from penstock.codec import encode_json
        from penstock.definitions.describe import describe as description

        encode_json(description(definitions, "here"))
    else:
        from dagster._core.remote_representation.external_data import RepositorySnap
        from dagster._serdes import serialize_value

        serialize_value(RepositorySnap.from_def(definitions.get_repository_def()))


def plan(module: Any, definitions: Any) -> None:
    """The plan of a run of all assets."""
    if module.__name__ == "penstock":
        from penstock.plan.build import build_plan

        build_plan(definitions.get_job_def("__ASSET_JOB"))
    else:
        from dagster._core.execution.api import create_execution_plan

        create_execution_plan(definitions.resolve_implicit_global_asset_job_def())


def main() -> None:
    """Measure once."""
    module = importlib.import_module(sys.argv[1])
    kind, count = sys.argv[2], int(sys.argv[3])
    gc.collect()
    begun = time.process_time()
    definitions = declared(module, count)
    if kind == "plan":
        if module.__name__ == "penstock":
            definitions.get_job_def("__ASSET_JOB")
        else:
            definitions.resolve_implicit_global_asset_job_def()
        begun = time.process_time()
        plan(module, definitions)
    else:
        describe(module, definitions)
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    print(json.dumps({"seconds": seconds, "megabytes": peak}))


if __name__ == "__main__":
    main()
