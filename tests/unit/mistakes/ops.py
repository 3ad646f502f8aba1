"""Mistakes in ops, graphs, jobs and their values."""

# mypy: ignore-errors
# Mistakes are what a type checker would tell of, too.

from __future__ import annotations

from typing import Any

import penstock as ps

from .table import mistake


@mistake("A value of another type than the annotation says")
def _() -> Any:
    @ps.op
    def count() -> int:
        return "three"

    @ps.job
    def counting() -> None:
        count()

    return counting.execute_in_process()


@mistake("An op called with an argument that it does not have")
def _() -> Any:
    @ps.op
    def one() -> int:
        return 1

    @ps.op
    def double(number: int) -> int:
        return 2 * number

    @ps.job
    def doubling() -> None:
        double(numbr=one())


@mistake("An op called without an input that nothing else gives")
def _() -> Any:
    @ps.op
    def store(table: object) -> None: ...

    @ps.job
    def storing() -> None:
        store()

    return storing.execute_in_process()


@mistake("A plain value passed to an op inside a job")
def _() -> Any:
    @ps.op
    def double(number: int) -> int:
        return 2 * number

    @ps.job
    def doubling() -> None:
        double(3)


@mistake("A function without the decorator among the assets")
def _() -> Any:
    def orders() -> None: ...

    return ps.Definitions(assets=[orders])


@mistake("Two jobs of one name")
def _() -> Any:
    def make() -> Any:
        @ps.job
        def nightly() -> None: ...

        return nightly

    return ps.Definitions(jobs=[make(), make()]).resolved


@mistake("A required output that the op did not give")
def _() -> Any:
    @ps.op(out={"good": ps.Out(), "bad": ps.Out()})
    def split() -> Any:
        yield ps.Output(1, "good")

    @ps.job
    def splitting() -> None:
        split()

    return splitting.execute_in_process()


@mistake("An output that the op does not declare")
def _() -> Any:
    @ps.op(out={"good": ps.Out()})
    def split() -> Any:
        yield ps.Output(1, "god")

    @ps.job
    def splitting() -> None:
        split()

    return splitting.execute_in_process()


@mistake("A return value for several outputs that is no tuple of that length")
def _() -> Any:
    @ps.op(out={"good": ps.Out(), "bad": ps.Out()})
    def split() -> Any:
        return 1

    @ps.job
    def splitting() -> None:
        split()

    return splitting.execute_in_process()


@mistake("A name with characters that names cannot have")
def _() -> Any:
    @ps.op(name="load orders")
    def load() -> None: ...


@mistake("A dynamic output used as if it were one value")
def _() -> Any:
    @ps.op(out=ps.DynamicOut())
    def pages() -> Any:
        yield ps.DynamicOutput(1, mapping_key="first")

    @ps.op
    def read(page: int) -> None: ...

    @ps.job
    def reading() -> None:
        read(pages())


@mistake("A dynamic output whose mapping key is no name")
def _() -> Any:
    return ps.DynamicOutput(1, mapping_key="page 1")


@mistake("Two dynamic outputs of one mapping key")
def _() -> Any:
    @ps.op(out=ps.DynamicOut())
    def pages() -> Any:
        yield ps.DynamicOutput(1, mapping_key="page")
        yield ps.DynamicOutput(2, mapping_key="page")

    @ps.job
    def reading() -> None:
        pages()

    return reading.execute_in_process()


@mistake("A job's function that runs Python on what an op gives")
def _() -> Any:
    @ps.op
    def numbers() -> list[int]:
        return [1, 2]

    @ps.job
    def adding() -> None:
        for _number in numbers():
            pass


@mistake("A graph that gives back something that no op made")
def _() -> Any:
    @ps.graph
    def answer() -> Any:
        return 42


@mistake("Two ops in one job under one given name")
def _() -> Any:
    @ps.op
    def load() -> None: ...

    @ps.job
    def loading() -> None:
        load.alias("first")()
        load.alias("first")()


@mistake("A type's check that gives neither true nor false")
def _() -> Any:
    even = ps.ValueType(name="Even", type_check_fn=lambda _context, value: value % 2)

    @ps.op(out=ps.Out(even))
    def three() -> Any:
        return 3

    @ps.job
    def counting() -> None:
        three()

    return counting.execute_in_process()


@mistake("A value that a type's check refuses")
def _() -> Any:
    even = ps.ValueType(name="Even", type_check_fn=lambda _context, value: value % 2 == 0)

    @ps.op(out=ps.Out(even))
    def three() -> Any:
        return 3

    @ps.job
    def counting() -> None:
        three()

    return counting.execute_in_process()


@mistake("A retry policy with a negative number of retries")
def _() -> Any:
    return ps.RetryPolicy(max_retries=-1)


@mistake("A delay of retries that is a text")
def _() -> Any:
    return ps.RetryPolicy(max_retries=3, delay="10s")


@mistake("A function among the hooks that is no hook")
def _() -> Any:
    def tell(context: ps.HookContext) -> None: ...

    @ps.op
    def load() -> None: ...

    @ps.job(hooks={tell})
    def loading() -> None:
        load()


@mistake("A hook that needs a resource that the job does not have")
def _() -> Any:
    @ps.failure_hook(required_resource_keys={"slack"})
    def tell(context: ps.HookContext) -> None: ...

    @ps.op
    def load() -> None: ...

    @ps.job(hooks={tell}, resource_defs={"slak": object()})
    def loading() -> None:
        load()

    return ps.Definitions(jobs=[loading]).resolved


@mistake("A selection of an op that the job does not have")
def _() -> Any:
    @ps.op
    def load() -> None: ...

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process(op_selection=["lod"])


@mistake("A tag whose value is an object")
def _() -> Any:
    @ps.op(tags={"team": object()})
    def load() -> None: ...


@mistake("An op's input that is declared, but no parameter of its function")
def _() -> Any:
    @ps.op(ins={"tabel": ps.In()})
    def store(table: object) -> None: ...


@mistake("A value asked of a run that no op gave")
def _() -> Any:
    @ps.op
    def load() -> int:
        return 1

    @ps.job
    def loading() -> None:
        load()

    return loading.execute_in_process().output_for_node("lod")


@mistake("An executor's name instead of an executor")
def _() -> Any:
    @ps.job(executor_def="in_process")
    def loading() -> None: ...


@mistake("A metadata value of a kind that metadata does not have")
def _() -> Any:
    return ps.MaterializeResult(metadata={"when": object()})


@mistake("A metadata label that is no text")
def _() -> Any:
    return ps.MaterializeResult(metadata={3: "rows"})
