"""Jobs of many steps for both subjects: in a row, side by side, and mapped over a dynamic output."""

import importlib
import os

dg = importlib.import_module(os.environ["BENCH_MODULE"])
OURS = dg.__name__ == "penstock"


@dg.op(ins={"after": dg.In(dg.Nothing)})
def nothing():
    pass


@dg.op
def begin():
    pass


def chain(name, length, executor):
    @dg.job(name=f"{name}_chain_{length}", executor_def=executor)
    def steps():
        after = begin()
        for number in range(length - 1):
            after = nothing.alias(f"step_{number}")(after=after)

    return steps


def wide(name, length, executor):
    @dg.job(name=f"{name}_wide_{length}", executor_def=executor)
    def steps():
        first = begin()
        for number in range(length - 1):
            nothing.alias(f"step_{number}")(after=first)

    return steps


@dg.op(out=dg.DynamicOut(int), config_schema={"length": int})
def numbers(context):
    for number in range(context.op_config["length"]):
        yield dg.DynamicOutput(number, mapping_key=str(number))


@dg.op
def same(number):
    return number


@dg.op
def count(numbers):
    assert numbers


def dynamic(name, length, executor):
    @dg.job(
        name=f"{name}_dynamic_{length}",
        executor_def=executor,
        config={"ops": {"numbers": {"config": {"length": length}}}},
    )
    def steps():
        count(numbers().map(same).collect())

    return steps


# "isolated" is each program's way to give each step a process of its own, at its defaults; "warm" its quickest way to
# run many small steps in processes: here processes that take one step after another, there a fork server with the code.
if OURS:
    EXECUTORS = {
        "isolated": dg.multiprocess_executor,
        "warm": dg.multiprocess_executor.configured({"reuse_processes": True}),
    }
else:
    preloaded = {"start_method": {"forkserver": {"preload_modules": ["dagster", "steps"]}}}
    EXECUTORS = {"isolated": dg.multiprocess_executor, "warm": dg.multiprocess_executor.configured(preloaded)}

LENGTHS = (1, 11, 1000)

defs = dg.Definitions(
    jobs=[
        make(name, length, executor)
        for make in (chain, wide, dynamic)
        for name, executor in EXECUTORS.items()
        for length in LENGTHS
    ],
)
