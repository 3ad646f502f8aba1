"""One process, events stored in SQLite: seconds for a job of N steps in a row (`op`), side by side (`wide`) or mapped
over a dynamic output (`dynamic`), and for N assets (`asset`). Prints JSON."""

import importlib
import json
import os
import sys
import time

module, kind, length = sys.argv[1], sys.argv[2], int(sys.argv[3])
dg = importlib.import_module(module)

if module == "penstock":
    from pathlib import Path

    instance = dg.Instance.open(Path(os.environ["PENSTOCK_HOME"]))
else:
    instance = dg.DagsterInstance.get()


@dg.op(ins={"after": dg.In(dg.Nothing)})
def nothing():
    pass


@dg.op
def begin():
    pass


@dg.job
def steps():
    after = begin()
    for number in range(length - 1):
        after = nothing.alias(f"step_{number}")(after=after)


@dg.job
def wide():
    first = begin()
    for number in range(length - 1):
        nothing.alias(f"step_{number}")(after=first)


@dg.op(out=dg.DynamicOut(int))
def numbers():
    for number in range(length):
        yield dg.DynamicOutput(number, mapping_key=str(number))


@dg.op
def same(number):
    return number


@dg.op
def count(numbers):
    assert len(numbers) == length


@dg.job
def dynamic():
    count(numbers().map(same).collect())


def make_asset(number):
    @dg.asset(name=f"asset_{number}", deps=[f"asset_{number - 1}"] if number else [])
    def made():
        return dg.MaterializeResult()

    return made


assets = [make_asset(number) for number in range(length)]


def run():
    if kind == "asset":
        return dg.materialize(assets, instance=instance)
    return {"op": steps, "wide": wide, "dynamic": dynamic}[kind].execute_in_process(instance=instance)


run()  # the first run pays for what is made once
began = time.perf_counter()
assert run().success
print(json.dumps(time.perf_counter() - began))
