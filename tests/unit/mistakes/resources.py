"""Mistakes in resources, IO managers and config."""

# mypy: ignore-errors
# Mistakes are what a type checker would tell of, too.

from __future__ import annotations

from typing import Any

import penstock as ps

from .table import mistake


@mistake("A resource that nobody gives")
def _() -> Any:
    @ps.asset(required_resource_keys={"warehouse"})
    def orders(context: ps.AssetExecutionContext) -> None: ...

    return ps.Definitions(assets=[orders], resources={"warehous": object()}).resolved


@mistake("An IO manager that nobody gives")
def _() -> Any:
    @ps.asset(io_manager_key="lake")
    def orders() -> int:
        return 1

    return ps.Definitions(assets=[orders]).resolved


@mistake("A mistyped field, a wrong value and a missing one in a run config")
def _() -> Any:
    class Limits(ps.Config):
        rows: int
        mode: str
        strict: bool = False

    @ps.op
    def load(config: Limits) -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process({"ops": {"load": {"config": {"rows": "many", "strct": True}}}})


@mistake("A run config without what is required")
def _() -> Any:
    class Limits(ps.Config):
        rows: int

    @ps.op
    def load(config: Limits) -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process()


@mistake("A run config for an op that the job does not have")
def _() -> Any:
    @ps.op
    def load() -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process({"ops": {"lod": {"config": {}}}})


@mistake("An environment variable that is not set")
def _() -> Any:
    class Warehouse(ps.ConfigurableResource):
        password: str

    @ps.asset
    def orders(warehouse: Warehouse) -> None: ...

    return ps.materialize([orders], resources={"warehouse": Warehouse(password=ps.EnvVar("WAREHOUSE_PASSWORD_UNSET"))})


@mistake("Resource keys without a context to reach them through")
def _() -> Any:
    @ps.asset(required_resource_keys={"warehouse"})
    def orders() -> None: ...


@mistake("A resource asked of the context that the function did not ask for")
def _() -> Any:
    @ps.asset
    def orders(context: ps.AssetExecutionContext) -> None:
        context.resources.warehouse.query("select 1")

    return ps.materialize([orders], resources={"warehouse": object()})


@mistake("A parameter of a resource's class that no resource is given for")
def _() -> Any:
    class Warehouse(ps.ConfigurableResource):
        url: str

    @ps.asset
    def orders(warehouse: Warehouse) -> None: ...

    return ps.materialize([orders], resources={"warehose": Warehouse(url="db")})


@mistake("Resources that need each other in a circle")
def _() -> Any:
    @ps.resource(required_resource_keys={"b"})
    def a(_context: Any) -> None: ...

    @ps.resource(required_resource_keys={"a"})
    def b(_context: Any) -> None: ...

    return ps.Definitions(resources={"a": a, "b": b}).resolved


@mistake("A resource that fails while it is set up")
def _() -> Any:
    @ps.resource
    def warehouse(_context: Any) -> None:
        raise ConnectionError("no route to db.example.org")

    @ps.asset(required_resource_keys={"warehouse"})
    def orders(context: ps.AssetExecutionContext) -> None: ...

    return ps.materialize([orders], resources={"warehouse": warehouse})


@mistake("An environment variable that is read as a number and is none")
def _() -> Any:
    import os

    class Warehouse(ps.ConfigurableResource):
        port: int

    @ps.asset
    def orders(warehouse: Warehouse) -> None: ...

    os.environ["WAREHOUSE_PORT"] = "fivethousand"
    return ps.materialize([orders], resources={"warehouse": Warehouse(port=ps.EnvVar.int("WAREHOUSE_PORT"))})


@mistake("An IO manager that is only a class")
def _() -> Any:
    class Lake(ps.IOManager):
        def handle_output(self, context: ps.OutputContext, obj: object) -> None: ...

        def load_input(self, context: ps.InputContext) -> object: ...

    @ps.asset(io_manager_key="lake")
    def orders() -> int:
        return 1

    return ps.materialize([orders], resources={"lake": Lake})


@mistake("An object without the methods of an IO manager as an IO manager")
def _() -> Any:
    @ps.asset(io_manager_key="lake")
    def orders() -> int:
        return 1

    return ps.materialize([orders], resources={"lake": object()})


@mistake("A value that cannot be pickled")
def _() -> Any:
    @ps.asset
    def orders() -> Any:
        return lambda: 1

    return ps.materialize([orders], resources={"io_manager": ps.FilesystemIOManager(base_dir="/tmp")})


@mistake("A run config that is a text")
def _() -> Any:
    @ps.job
    def loading() -> None: ...

    return loading.execute_in_process("ops: {}")


@mistake("A run config with the config of an op one level too high")
def _() -> Any:
    class Limits(ps.Config):
        rows: int

    @ps.op
    def load(config: Limits) -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process({"ops": {"load": {"rows": 3}}})


@mistake("A schema with a word for a type")
def _() -> Any:
    @ps.op(config_schema={"rows": "int"})
    def load(context: ps.OpExecutionContext) -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process()


@mistake("A config mapping that makes a config that the job does not take")
def _() -> Any:
    @ps.op(config_schema={"rows": int})
    def load(context: ps.OpExecutionContext) -> None: ...

    @ps.config_mapping(config_schema={"size": str})
    def by_size(value: Any) -> Any:
        return {"ops": {"load": {"config": {"rows": value["size"]}}}}

    @ps.job(config=by_size)
    def loading() -> None:
        load()

    return loading.execute_in_process({"size": "big"})


@mistake("A config mapping that raises")
def _() -> Any:
    @ps.op(config_schema={"rows": int})
    def load(context: ps.OpExecutionContext) -> None: ...

    @ps.config_mapping(config_schema={"size": str})
    def by_size(value: Any) -> Any:
        return {"ops": {"load": {"config": {"rows": {"small": 1}[value["size"]]}}}}

    @ps.job(config=by_size)
    def loading() -> None:
        load()

    return loading.execute_in_process({"size": "big"})
