"""A small project as its author wrote it before it moves: files by path."""

from __future__ import annotations

import textwrap

__all__ = ["FILES"]

_DEFINITIONS = '''
    """All of the shop's definitions."""

    from typing import TYPE_CHECKING

    import dagster as dg
    from dagster import (
        AssetKey,
        DagsterInstance,  # where runs are
        DagsterRunStatus,
        DagsterType,
        In,
        Out,
    )
    from dagster._core.errors import DagsterInvariantViolationError
    from shop.resources import Warehouse

    if TYPE_CHECKING:
        from dagster import DagsterRun

    Positive = DagsterType(lambda _, value: value > 0, name="Positive")


    @dg.op(ins={"number": In(dagster_type=Positive)}, out=Out(dagster_type=int), tags={"dagster/priority": "3"})
    def double(context: dg.OpExecutionContext, number):
        context.log.info(f"{context.dagster_run.run_id} doubles")
        return number * 2


    @dg.op
    def one() -> int:
        return 1


    @dg.job(tags={"team": "shop"})
    def doubling():
        double(one())


    @dg.asset(metadata={"dagster/row_count": 3}, owners=["team:shop"])
    def orders(warehouse: Warehouse) -> dg.MaterializeResult:
        """What was sold."""
        return dg.MaterializeResult(metadata={"rows": warehouse.rows(), "run": dg.MetadataValue.dagster_run("x")})


    @dg.asset_check(asset=orders)
    def enough() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)


    def shown(run: "DagsterRun", instance: DagsterInstance) -> str:
        if run.status == DagsterRunStatus.FAILURE:
            raise DagsterInvariantViolationError("it failed")
        return instance.get_ref()


    defs = dg.Definitions(
        assets=[orders],
        asset_checks=[enough],
        jobs=[doubling, dg.define_asset_job("all_assets", selection=[AssetKey("orders")])],
        resources={"warehouse": Warehouse(path="x")},
    )
'''
_RESOURCES = """
    import os

    import dagster
    from dagster_duckdb import DuckDBResource

    Run = "a name of our own"


    class Warehouse(dagster.ConfigurableResource):
        path: str

        def rows(self) -> int:
            return 3 if os.environ.get("DAGSTER_HOME") else 2


    def runs_of(instance: dagster.DagsterInstance) -> "list[dagster.DagsterRun]":
        from dagster import DagsterRun

        return [run for run in instance.get_runs() if isinstance(run, DagsterRun)]
"""
_SCRIPT = """
    from dagster_pipes import PipesContext, open_dagster_pipes

    with open_dagster_pipes() as pipes:
        assert PipesContext.is_initialized()
        pipes.log.info("hello")
"""
_SETTINGS = """
    # Our instance.
    run_coordinator:
      module: dagster.core.run_coordinator
      class: QueuedRunCoordinator
      config:
        max_concurrent_runs: 5
        dequeue_interval_seconds: 3

    # Runs do not go on for ever.
    run_monitoring:
      enabled: true
      max_runtime_seconds: 7200  # two hours

    run_launcher:
      module: dagster_docker
      class: DockerRunLauncher

    telemetry:
      enabled: false
"""
_PROJECT = """
    [project]
    name = "shop"
    version = "1"
    dependencies = [
        "dagster==1.13.*",  # the engine
        "dagster-webserver",
        "dagster-duckdb>=0.29",
        "pandas",
    ]

    [project.optional-dependencies]
    dev = ["dagster-webserver>=1.9", "pytest"]

    [tool.dagster]
    module_name = "shop.definitions"
    code_location_name = "shop"

    [tool.ruff]
    line-length = 120
"""
_WORKSPACE = """
    load_from:
      - python_file:
          relative_path: shop/definitions.py
      - grpc_server:
          host: localhost
          port: 4266
          location_name: other
          ssl: true
"""

_REQUIREMENTS = """
# pinned
dagster==1.13.4 ; python_version > '3.10'
dagster_webserver==1.13.4
pandas  # data
"""
_DOCKERFILE = """
FROM python:3.12
ENV DAGSTER_HOME=/home
CMD dagster-webserver -h 0.0.0.0
ENV DAGSTER_GRPC_TIMEOUT_SECONDS=9
"""

FILES = {
    "shop/__init__.py": "",
    "shop/definitions.py": textwrap.dedent(_DEFINITIONS).lstrip(),
    "shop/resources.py": textwrap.dedent(_RESOURCES).lstrip(),
    "shop/script.py": textwrap.dedent(_SCRIPT).lstrip(),
    "shop/unrelated.py": "import os\n\nprint(os.getcwd())\n",
    "dagster.yaml": textwrap.dedent(_SETTINGS).lstrip(),
    "pyproject.toml": textwrap.dedent(_PROJECT).lstrip(),
    "workspace.yaml": textwrap.dedent(_WORKSPACE).lstrip(),
    "requirements.txt": _REQUIREMENTS.lstrip(),
    "Dockerfile": _DOCKERFILE.lstrip(),
    ".venv/pyvenv.cfg": "",
    "node_modules/x/x.py": "import dagster\n",
}
