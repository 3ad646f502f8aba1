"""One process, events stored in SQLite: seconds for a job of N steps and for N assets. Prints JSON."""

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


def make_asset(number):
    @dg.asset(name=f"asset_{number}", deps=[f"asset_{number - 1}"] if number else [])
    def made():
        return dg.MaterializeResult()

    return made


assets = [make_asset(number) for number in range(length)]


def run():
    if kind == "op":
        return steps.execute_in_process(instance=instance)
    return dg.materialize(assets, instance=instance)


run()  # the first run pays for what is made once
began = time.perf_counter()
assert run().success
print(json.dumps(time.perf_counter() - began))
