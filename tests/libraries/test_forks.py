"""Real libraries, imported or used while user code is loaded: the work runs, forked or not, and never hangs.

What `penstock.execution.fork_safety` says of threads is held here. A case that stops being refused, or begins to be, is
to be looked into: either the library has changed, or the judgment is wrong.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.records.run import RunStatus
from penstock.records.wire import LoadStatus
from support.served_code import served

PYTHON = Path(__file__).parents[2] / ".venv-libraries" / "bin" / "python"

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not PYTHON.exists() and not os.environ.get("CI"),
        reason="there is no .venv-libraries; scripts/setup-libraries makes it",
    ),
]

JOBS = """
from penstock import Definitions, In, RunRequest, in_process_executor, job, op, sensor

@op
def one():
    work()
    return 1

@op
def other():
    work()
    return 1

@op
def both(a, b):
    work()

@job
def forked():
    both(one(), other())

@job(executor_def=in_process_executor)
def in_process():
    both(one(), other())

@sensor(job=forked)
def news(context):
    work()
    return RunRequest(run_key="worked")

defs = Definitions(jobs=[forked, in_process], sensors=[news])
"""

GRPC_WORK = """
from concurrent.futures import ThreadPoolExecutor
def work():
    method = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop", {"echo": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/shop/echo")(b"x", timeout=30) == b"x"
    server.stop(0).wait()
"""

POLARS = """
import polars as pl
def work():
    frame = pl.DataFrame({"a": [1, 2] * 50_000, "b": 1.0})
    assert frame.group_by("a").agg(pl.col("b").sum())["b"].to_list() == [50_000.0, 50_000.0]
    assert frame.lazy().sort("b", "a").group_by("a").len().collect(engine="streaming").height == 2
"""

PYARROW = """
import os, tempfile
import pyarrow as pa, pyarrow.compute, pyarrow.dataset, pyarrow.parquet
def work():
    table = pa.table({"a": list(range(50_000))})
    with tempfile.TemporaryDirectory() as folder:
        pa.parquet.write_table(table, folder + "/t.parquet")
        assert pa.compute.sum(pa.dataset.dataset(folder).to_table()["a"]).as_py() == 1_249_975_000
"""

DUCKDB = """
import duckdb
def work():
    with duckdb.connect() as own:
        assert own.sql("select count(*) from range(3_000_000) t(i) where i % 2 = 0").fetchall() == [(1_500_000,)]
"""

TORCH = """
import torch
def work():
    x = torch.rand(400, 400, requires_grad=True)
    (x @ x).sum().backward()
    assert torch.ones(1_000_000).exp().sum() > 2_700_000
"""

REQUESTS = """
import http.server, threading
import requests
def work():
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        assert requests.get(f"http://127.0.0.1:{server.server_port}/", timeout=30).status_code == 501
        answering.join()
"""

NOTHING = "def work(): pass\n"


@dataclass
class Case:
    """What the module does when it is imported; `refused` is in the reason why it is not forked, None if it is."""

    code: str
    refused: str | None = None


CASES = {
    "numpy": Case("import numpy\ndef work(): assert (numpy.ones((900, 900)) @ numpy.ones((900, 900)))[0, 0] == 900\n"),
    "numpy-used": Case(
        "import numpy\nnumpy.ones((900, 900)) @ numpy.ones((900, 900))\n"
        "def work(): assert (numpy.ones((900, 900)) @ numpy.ones((900, 900)))[0, 0] == 900\n"
    ),
    "pandas": Case(
        "import pandas\n"
        "def work(): assert pandas.DataFrame({'a': [1, 2] * 9000, 'b': 1}).groupby('a').sum().b[1] == 9000\n"
    ),
    "polars": Case(POLARS),
    "polars-used": Case(POLARS + "work()\n", "polars-0"),
    "pyarrow": Case(PYARROW),
    "pyarrow-used": Case(PYARROW + "work()\n", "without a name, maybe of pyarrow"),
    "duckdb": Case(DUCKDB),
    "duckdb-connection": Case(DUCKDB + "shared = duckdb.connect()\nwork()\n", "without a name, maybe of duckdb"),
    "torch": Case(TORCH),
    "torch-used": Case(TORCH + "work()\n", "without a name, maybe of torch"),
    "grpc": Case("import grpc\n" + GRPC_WORK),
    "grpc-channel": Case(
        "import grpc\n" + GRPC_WORK + "channel = grpc.insecure_channel('127.0.0.1:1')\n"
        "channel.subscribe(lambda _state: None, try_to_connect=True)\n",
        "",
    ),
    "requests": Case(REQUESTS),
    "requests-session": Case(REQUESTS + "session = requests.Session()\n"),
    "thread": Case(
        NOTHING
        + "import threading\nthreading.Thread(target=threading.Event().wait, name='poller', daemon=True).start()\n",
        "poller",
    ),
    "event-loop": Case(
        NOTHING + "import asyncio, threading\nloop = asyncio.new_event_loop()\n"
        "threading.Thread(target=loop.run_forever, name='the-loop', daemon=True).start()\n",
        "the-loop",
    ),
    "multiprocessing-pool": Case(
        "import multiprocessing\npool = multiprocessing.get_context('fork').Pool(2)\n"
        "def work(): assert pool.map(abs, [-1, -2]) == [1, 2]\n",
        "Thread-1",
    ),
    "multiprocessing-pool-of-the-work": Case(
        "import multiprocessing, time\n"
        "def work():\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        assert pool.map(abs, [-1, -2]) == [1, 2]\n"
        "        pool.map_async(time.sleep, [600, 600])\n"
    ),
    "hook-raises": Case(NOTHING + "import os\ndef hook(): raise OSError('no')\nos.register_at_fork(before=hook)\n"),
    "hook-blocks": Case(
        NOTHING + "import os, signal\nos.register_at_fork(before=signal.pause)\n", "when a fork was tried"
    ),
    "hook-blocks-in-child": Case(
        NOTHING + "import os, signal\nos.register_at_fork(after_in_child=signal.pause)\n", "os.register_at_fork"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_work_runs_or_says_why_it_is_not_forked(name: str) -> None:
    case = CASES[name]
    with served(case.code + JOBS, executable=PYTHON) as code:
        state = code.loaded()
        assert state.status is LoadStatus.LOADED, state.error
        evaluation = code.evaluate("news")
        assert [request.run_key for request in evaluation.run_requests] == ["worked"], evaluation.error
        for run_id in [code.launch("forked"), code.launch("in_process")]:
            run = code.finished(run_id)
            assert run.status is RunStatus.SUCCESS, code.facts(run_id)
            because = re.search(r"The run's worker is a fresh process, .*?: (.*)", code.notes(run_id))
            assert (because is None) == (case.refused is None), because
            assert because is None or (case.refused or "") in because[1]
