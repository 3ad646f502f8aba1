"""A small project for both subjects: ten assets, a job that says when user code is reached, and a trivial one."""

import importlib
import os
import time

dg = importlib.import_module(os.environ["BENCH_MODULE"])


def make_asset(number):
    @dg.asset(name=f"asset_{number}", deps=[f"asset_{number - 1}"] if number else [])
    def made():
        return None

    return made


@dg.op
def say_when(context):
    with open(os.environ["BENCH_MARK"], "a") as mark:
        mark.write(f"{context.run_id} {time.time()}\n")


@dg.job
def first_line():
    say_when()


@dg.op
def nothing():
    pass


@dg.job
def trivial():
    nothing()


defs = dg.Definitions(assets=[make_asset(number) for number in range(10)], jobs=[first_line, trivial])
